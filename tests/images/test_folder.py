"""Claims about pictures in folders and zips."""

import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate

from purigeom.catalog import IMAGES
from purigeom.identity import digest, recipe
from purigeom.images import ImageFolder
from purigeom.naming import images_named


def picture(path, seed=0, rows=8, columns=8):
    path.parent.mkdir(parents=True, exist_ok=True)
    """Save noise far enough from black and white that resizing does not reach them, and return it."""
    pixels = np.random.default_rng(seed).integers(64, 192, (rows, columns, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return torch.from_numpy(pixels).permute(2, 0, 1) / 255


def small(path, **fields):
    return ImageFolder(str(path), 8, 8, **fields)


def test_a_picture_s_label_is_the_place_of_its_folder(tmp_path):
    stored = [picture(tmp_path / name, seed) for seed, name in enumerate(("ape/2.png", "ape/10.png", "cat/1.png"))]
    (tmp_path / "bee").mkdir()
    batch = small(tmp_path).load()
    assert batch.labels.tolist() == [0, 0, 2], "a class without pictures keeps its place"
    assert batch.image_ids == (0, 1, 2)
    for found, place in zip(batch.images, (1, 0, 2), strict=True):  # names in the order of their letters
        assert torch.equal(found, stored[place])


@pytest.mark.parametrize("zipped", [False, True])
def test_a_flat_set_has_no_labels_unless_its_names_begin_with_them(tmp_path, zipped):
    for seed, name in enumerate(("007_bond.png", "012.PNG")):
        picture(tmp_path / "flat" / name, seed)
    (tmp_path / "flat" / "meta.json").write_text("{}")
    path = tmp_path / "flat"
    if zipped:
        path = tmp_path / "flat.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in (tmp_path / "flat").iterdir():
                archive.write(file, file.name)
    assert small(path).load().labels is None
    assert small(path, labels="name").load().labels.tolist() == [7, 12]
    assert torch.equal(small(path)[1:].load().images, small(path).load().images[1:])
    picture(tmp_path / "flat" / "x.png")
    with pytest.raises(ValueError, match=r"must begin with its label, a whole number; got 'x.png'"):
        small(tmp_path / "flat", labels="name").load()


def test_only_the_pictures_of_the_slice_are_decoded(tmp_path):
    for name in ("0.png", "1.png"):
        picture(tmp_path / name)
    (tmp_path / "2.png").write_bytes(b"no picture")
    assert len(small(tmp_path)) == 3
    assert small(tmp_path)[:2].load().image_ids == (0, 1)
    assert small(tmp_path)[2:2].load().images.shape == (0, 3, 8, 8)
    with pytest.raises(ValueError, match=r"2.png must be a whole picture"):
        small(tmp_path)[1:].load()


def test_the_centre_is_kept_and_nothing_is_resized_that_fits(tmp_path):
    wide = picture(tmp_path / "wide.png", rows=10, columns=15)
    found = ImageFolder(str(tmp_path), size=6, resize=10).load().images[0]
    assert torch.equal(found, wide[:, 2:8, 4:10])


@pytest.mark.parametrize(("rows", "columns"), [(30, 47), (47, 30), (5, 7)])
def test_the_shorter_side_is_resized_as_torch_does_bicubic_and_antialiased(tmp_path, rows, columns):
    stored = picture(tmp_path / "one.png", rows=rows, columns=columns)
    side = (12, 12 * columns // rows) if rows < columns else (12 * rows // columns, 12)
    theirs = interpolate(stored[None], side, mode="bicubic", antialias=True).clamp(0, 1)[0]
    top, left = (round((length - 12) / 2) for length in side)
    ours = ImageFolder(str(tmp_path), 12, 12).load().images[0]
    assert (ours - theirs[:, top : top + 12, left : left + 12]).abs().max() < 2 / 255


def test_grey_pictures_become_rgb_and_deep_ones_are_refused(tmp_path):
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    assert torch.equal(small(tmp_path).load().images[0], torch.from_numpy(grey).expand(3, 8, 8) / 255)
    Image.fromarray(grey.astype(np.uint16) * 256).save(tmp_path / "deep.png")
    with pytest.raises(ValueError, match=r"deep.png must be a picture of 8 bits; its mode is I;16"):
        small(tmp_path).load()


@pytest.mark.parametrize("form", ["EPS", "GIF"])
def test_what_is_no_picture_of_ours_is_not_opened_whatever_its_name_says(tmp_path, form):
    Image.new("RGB", (8, 8)).save(tmp_path / "named.png", form)
    with pytest.raises(ValueError, match=r"named.png must be a whole picture.*cannot identify"):
        small(tmp_path).load()


def test_folders_that_are_no_image_set_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no folder and no zip .*missing"):
        small(tmp_path / "missing").load()
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(ValueError, match=r"a.zip must be a folder or a whole zip"):
        small(tmp_path / "a.zip").load()
    with pytest.raises(ValueError, match="it holds 0 pictures"):
        small(tmp_path).load()
    picture(tmp_path / "here.png")
    picture(tmp_path / "a" / "b" / "deeper.png")
    with pytest.raises(ValueError, match=r"it holds 2 pictures, inside so many folders: \[0, 2\]"):
        small(tmp_path).load()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": 9, "resize": 8}, "got size=9, resize=8"),
        ({"size": 0}, "got size=0"),
        ({"labels": "luck"}, r"labels must be one of \('folder', 'name'\); got 'luck'"),
    ],
)
def test_a_description_that_cannot_be_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        ImageFolder("anywhere", **fields)


def test_imagenet_is_found_in_the_data_folder_and_keyed_without_it(tmp_path, monkeypatch):
    keys = set()
    for machine in ("one", "other"):
        picture(tmp_path / machine / "imagenet" / "n01" / "1.JPEG", rows=300, columns=400)
        monkeypatch.setenv("PURIGEOM_DATA", str(tmp_path / machine))
        assert IMAGES["imagenet"].load().images.shape == (1, 3, 224, 224)
        keys.add(digest(recipe(IMAGES["imagenet"])))
    assert len(keys) == 1
    monkeypatch.delenv("PURIGEOM_DATA")
    with pytest.raises(FileNotFoundError, match=r"\$PURIGEOM_DATA/imagenet was not found: there is no data_cache/im"):
        IMAGES["imagenet"].load()


def test_a_command_s_images_can_be_a_folder_or_a_zip(tmp_path, monkeypatch):
    for seed in range(3):
        picture(tmp_path / "mine" / f"{seed}.png", seed)
    assert images_named(str(tmp_path / "mine"), IMAGES) == ImageFolder(str(tmp_path / "mine"))
    assert len(images_named(f"{tmp_path}/mine:2", IMAGES)) == 2
    assert images_named("mine.zip", IMAGES) == ImageFolder("mine.zip")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    assert images_named("digits", IMAGES) is IMAGES["digits"], "a name of the catalogue is hidden by no folder"
