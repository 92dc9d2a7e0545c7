"""Claims about where CIFAR images come from, and about files that are not what they should be."""

import gzip
import os
import pickle
import sys
from dataclasses import replace

import numpy as np
import pytest

from purigeom.images import Cifar
from purigeom.images.cifar.splits import SPLITS, Remote
from tests.images import made

IMAGES, LABELS = made.pixels(10_000), made.labels(10_000)
TEST = f"{made.EXTRACTED}/test_batch"


@pytest.fixture(scope="module")
def batch():
    return made.batch(IMAGES, LABELS)


def write_mosaics(folder, batch):
    made.mosaics(folder / "cifar10" / "test.zip", IMAGES, LABELS)


def write_extracted(folder, batch):
    (folder / TEST).parent.mkdir()
    (folder / TEST).write_bytes(batch)


def write_archive(folder, batch):
    made.archive(folder / "cifar-10-python.tar.gz", {f"{made.EXTRACTED}/readme.html": b"", TEST: batch})


@pytest.mark.parametrize("write", [write_mosaics, write_extracted, write_archive])
def test_images_are_the_same_from_every_source(tmp_path, batch, write):
    write(tmp_path, batch)
    found = Cifar(folder=str(tmp_path))[2:8000].load()
    np.testing.assert_array_equal((found.images * 255).round().numpy(), IMAGES[2:8000])
    np.testing.assert_array_equal(found.labels, LABELS[2:8000])


def write_parquet(hub, form="PNG", **renamed):
    arrow = pytest.importorskip("pyarrow", reason="the parquet extra is not installed")
    from pyarrow import parquet

    folder = hub / "datasets--uoft-cs--cifar10"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc")
    (folder / "snapshots" / "abc" / "plain_text").mkdir(parents=True)
    rows = IMAGES.transpose(0, 2, 3, 1)
    pictures = [{"bytes": made.encoded(row, form, compress_level=1), "path": None} for row in rows]
    table = arrow.table({"img": pictures, renamed.get("label", "label"): LABELS})
    parquet.write_table(table, folder / "snapshots" / "abc" / "plain_text" / "test-00000-of-00001.parquet")


def test_the_local_cache_of_the_hub_is_read(tmp_path):
    write_parquet(tmp_path / "hub")
    found = Cifar()[2:40].load()
    np.testing.assert_array_equal((found.images * 255).round().numpy(), IMAGES[2:40])
    np.testing.assert_array_equal(found.labels, LABELS[2:40])


def test_lossy_pictures_in_a_parquet_file_are_refused(tmp_path):
    write_parquet(tmp_path / "hub", "JPEG")
    with pytest.raises(ValueError, match=r"test-00000-of-00001.parquet must be a whole picture, PNG or WEBP"):
        Cifar()[:1].load()


def test_a_parquet_file_without_labels_is_named(tmp_path):
    write_parquet(tmp_path / "hub", label="other")
    with pytest.raises(
        ValueError, match=r"test-00000-of-00001.parquet must be a whole parquet file with img and label"
    ):
        Cifar().load()


def test_a_cache_that_needs_pyarrow_says_so(tmp_path, monkeypatch):
    file = tmp_path / "hub/datasets--uoft-cs--cifar10/snapshots/abc/plain_text/test-00000-of-00001.parquet"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"PAR1")
    (file.parents[3] / "refs").mkdir()
    (file.parents[3] / "refs" / "main").write_text("abc")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"test-00000-of-00001.parquet needs pyarrow.*purigeom\[parquet\]"):
        Cifar().load()


def test_the_train_split_is_five_batches_in_their_order(tmp_path):
    (tmp_path / made.EXTRACTED).mkdir()
    for number in range(1, 6):
        content = made.batch(IMAGES, np.full(10_000, number))
        (tmp_path / made.EXTRACTED / f"data_batch_{number}").write_bytes(content)
    train = Cifar("cifar10", "train", folder=str(tmp_path))
    assert train[9_999:10_001].load().labels.tolist() == [1, 2]
    assert train[49_999:].load().labels.tolist() == [5]
    (tmp_path / made.EXTRACTED / "data_batch_3").unlink()
    with pytest.raises(FileNotFoundError, match=r"'cifar10 train' need .*there is no [^ ]*data_batch_3\.$"):
        train[:1].load()


@pytest.mark.parametrize(("name", "version", "count"), [("cifar10.1", "v6", 2000), ("cifar10.1-v4", "v4", 2021)])
def test_both_versions_of_the_new_test_set_are_read(tmp_path, name, version, count):
    images, labels = made.pixels(count), made.labels(count)
    np.save(tmp_path / f"cifar10.1_{version}_data.npy", images.transpose(0, 2, 3, 1))
    with pytest.raises(FileNotFoundError, match=f"there is no .*cifar10.1_{version}_labels.npy"):
        Cifar(name, folder=str(tmp_path)).load()
    np.save(tmp_path / f"cifar10.1_{version}_labels.npy", labels)
    found = Cifar(name, folder=str(tmp_path)).load()
    np.testing.assert_array_equal((found.images * 255).round().numpy(), images)
    np.testing.assert_array_equal(found.labels, labels)


def test_a_given_folder_is_the_only_place_and_the_data_folder_comes_before_the_cache(tmp_path, monkeypatch):
    for place, shift in (("given", 0), ("data", 1), ("work/data_cache", 2)):
        (tmp_path / place).mkdir()
        np.save(tmp_path / place / "cifar10.1_v6_data.npy", made.pixels(2000, shift).transpose(0, 2, 3, 1))
        np.save(tmp_path / place / "cifar10.1_v6_labels.npy", made.labels(2000))
    monkeypatch.setenv("PURIGEOM_DATA", str(tmp_path / "data"))
    places = {"given": Cifar("cifar10.1", folder=str(tmp_path / "given")), "data": Cifar("cifar10.1")}
    found = {place: round(255 * images[:1].load().images[0, 0, 0, 0].item()) for place, images in places.items()}
    assert found == {"given": 0, "data": 7}
    monkeypatch.delenv("PURIGEOM_DATA")
    assert round(255 * Cifar("cifar10.1")[:1].load().images[0, 0, 0, 0].item()) == 14
    with pytest.raises(FileNotFoundError, match=f"'cifar10 test' were not found in {tmp_path}/given. Put"):
        Cifar(folder=str(tmp_path / "given")).load()


def test_without_files_and_network_both_ways_to_supply_them_are_named(monkeypatch):
    held = SPLITS["cifar10", "test"]
    unreachable = Remote("cifar-10-python.tar.gz", "http://127.0.0.1:9/cifar-10-python.tar.gz", "")
    monkeypatch.setitem(SPLITS, ("cifar10", "test"), replace(held, remotes=(unreachable,)))
    with pytest.raises(FileNotFoundError, match=r"not found in data_cache or in the hub's local cache") as raised:
        Cifar().load()
    assert "http://127.0.0.1:9/cifar-10-python.tar.gz could not be fetched" in str(raised.value)
    assert (
        "Put cifar10/test.zip or cifar-10-batches-py/ or cifar-10-python.tar.gz into a folder named by PURIGEOM_DATA "
        "or by folder=..., or run once where there is a network."
    ) in str(raised.value)
    with pytest.raises(FileNotFoundError, match=r"Put cifar100_3k.zip into a folder named by [^,]*\.$"):
        Cifar("cifar100", "all").load()


class Foreign:
    """What a pickle can do that is more than data."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_a_foreign_pickle_is_refused_before_it_does_anything(tmp_path):
    write_extracted(tmp_path, pickle.dumps({b"data": Foreign(tmp_path / "harm"), b"labels": []}))
    with pytest.raises(ValueError, match=r"test_batch must be a whole pickle .*asks for posix.mkdir.*refused"):
        Cifar(folder=str(tmp_path)).load()
    assert not (tmp_path / "harm").exists()


DAMAGED = {
    "cut short": ("must be a whole pickle", lambda batch: batch[:-2000]),
    "no pickle": ("must be a whole pickle", lambda batch: b"nothing like it"),
    "a list": ("must hold a dict with b'data' and b'labels'; it holds list", lambda batch: pickle.dumps([1, 2])),
    "no labels": (r"and b'labels'; it holds \[b'data'\]", lambda batch: pickle.dumps({b"data": 1})),
    "too few labels": ("must hold 10000 labels", lambda batch: made.batch(IMAGES, LABELS[:-1])),
    "an eleventh class": ("0 to 9; they span 0 to 10", lambda batch: made.batch(IMAGES, LABELS + LABELS // 9)),
    "too few images": ("must hold uint8 images of shape", lambda batch: made.batch(IMAGES[:9_999], LABELS)),
    "floats": (
        r"it holds float64 of shape \(2, 3\)",
        lambda batch: pickle.dumps({b"data": np.full((2, 3), np.nan), b"labels": [0] * 10_000}, 4),
    ),
}


@pytest.mark.parametrize(("message", "damage"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_batch_is_named(tmp_path, batch, message, damage):
    write_extracted(tmp_path, damage(batch))
    with pytest.raises(ValueError, match=f"test_batch must .*{message}|test_batch {message}"):
        Cifar(folder=str(tmp_path)).load()


def test_a_damaged_archive_of_batches_is_named(tmp_path, batch):
    path = tmp_path / "cifar-10-python.tar.gz"
    write_archive(tmp_path, batch)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"no archive", gzip.compress(b"no tar")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"cifar-10-python.tar.gz must be a whole tar.gz of batches"):
            Cifar(folder=str(tmp_path)).load()
    made.archive(path, {"elsewhere/test_batch": batch})
    with pytest.raises(ValueError, match=f"must hold {TEST}; it does not"):
        Cifar(folder=str(tmp_path)).load()


MOSAICS = {
    "must hold mosaic_01.webp; it does not": {"mosaic_01": None},
    "must hold labels.npz; it does not": {"labels": None},
    "mosaic_00.webp must be 1600 x 640 pixels; it is 1600 x 32": {
        "mosaic_00": made.encoded(np.zeros((32, 1600, 3), np.uint8), "WEBP", lossless=True)
    },
    "mosaic_00.webp must be a lossless WebP picture": {"mosaic_00": made.mosaic(made.pixels(1000), lossless=False)},
    "mosaic_02.webp must be a whole picture": {"mosaic_02": made.mosaic(made.pixels(1000))[:200]},
}


@pytest.mark.parametrize(("message", "replaced"), MOSAICS.items(), ids=MOSAICS)
def test_a_wrong_archive_of_mosaics_is_named(tmp_path, message, replaced):
    made.mosaics(tmp_path / "cifar100_3k.zip", made.pixels(3000), made.labels(3000, 100), **replaced)
    with pytest.raises(ValueError, match=f"cifar100_3k.zip.*{message}"):
        Cifar("cifar100", "all", folder=str(tmp_path)).load()


def test_wrong_labels_of_mosaics_are_named(tmp_path):
    path = tmp_path / "cifar100_3k.zip"
    for labels, message in ((made.labels(2999), "must hold 3000 labels"), (made.labels(3000, 101), "span 0 to 100")):
        made.mosaics(path, made.pixels(3000), labels)
        with pytest.raises(ValueError, match=message):
            Cifar("cifar100", "all", folder=str(tmp_path)).load()


def test_a_zip_cut_short_and_a_zip_alone_are_named(tmp_path):
    path = tmp_path / "cifar100_3k.zip"
    made.mosaics(path, made.pixels(3000), made.labels(3000, 100))
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(ValueError, match=r"cifar100_3k.zip must be a whole zip of mosaics; it is damaged or cut short"):
        Cifar("cifar100", "all", folder=str(tmp_path)).load()
    made.mosaics(tmp_path / "cifar10" / "train_1.zip", made.pixels(0), [])
    with pytest.raises(FileNotFoundError, match=r"'cifar10 train' need .*there is no .*train_2.zip"):
        Cifar("cifar10", "train", folder=str(tmp_path)).load()


def test_arrays_of_another_shape_or_of_objects_are_named(tmp_path):
    data = tmp_path / "cifar10.1_v6_data.npy"
    np.save(tmp_path / "cifar10.1_v6_labels.npy", made.labels(2000))
    np.save(data, made.pixels(2000))
    with pytest.raises(ValueError, match=r"must hold images of shape \(32, 32, 3\)"):
        Cifar("cifar10.1", folder=str(tmp_path)).load()
    np.save(data, np.array([{}, {}]), allow_pickle=True)
    with pytest.raises(ValueError, match=r"data.npy must be a whole npy file of numbers"):
        Cifar("cifar10.1", folder=str(tmp_path)).load()
