"""Claims of docs/threat-model.md: what a stranger's file cannot do."""

import ast
import json
import os
import re
import shutil
import struct
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from numcodecs.zstd import compress
from PIL import Image

from purigeom import report, store
from purigeom.images import ImageFile, ImageFolder
from purigeom.networks.classifier import ConvNet
from purigeom.networks.files import folder
from purigeom.networks.tensors import read
from purigeom.rebuilding import rebuilt
from purigeom.store.limits import refuse_inflation
from purigeom.sweep import run
from tests.hostile import replanned, resealed
from tests.toys import toy_tasks

ROOT = Path(__file__).parents[1]
SOURCES = {path.relative_to(ROOT / "src/purigeom").as_posix(): path for path in (ROOT / "src").rglob("*.py")}
BETWEEN_OUR_PROCESSES = {"executors/worker.py", "executors/crew.py", "executors/local.py"}
ARRAYS_ONLY = {"images/cifar/pickles.py"}
HARM = "<script>alert(1)</script>\"'&"


class Harm:
    def __reduce__(self):
        return os.mkdir, ("harmed",)


def calls(path):
    """Yield the dotted name of everything a file calls, and the words it is called with."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}


def test_only_our_own_processes_send_each_other_pickles() -> None:
    found = {
        name for name, path in SOURCES.items() for called, _ in calls(path) if re.search(r"pickle\.loads?$", called)
    }
    assert found == BETWEEN_OUR_PROCESSES
    derived = {name for name, path in SOURCES.items() if "pickle.Unpickler" in path.read_text()}
    assert derived == ARRAYS_ONLY, "whose find_class admits arrays"


def test_every_file_of_weights_or_arrays_is_read_as_data() -> None:
    loads = [(called, words) for path in SOURCES.values() for called, words in calls(path)]
    weights = [words for called, words in loads if called == "torch.load"]
    arrays = [words for called, words in loads if called == "np.load"]
    assert weights
    assert arrays
    assert all(words.get("weights_only") == "True" for words in weights)
    assert all(words.get("allow_pickle") == "False" for words in arrays)
    named = {
        called.rpartition(".")[2] for called, _ in loads if not called.startswith(("self.", "module.", "network."))
    }
    assert not named & {"exec", "extractall", "unpack_archive", "unsafe_load"}


@pytest.mark.parametrize("name", ["weights.pt", "weights.bin", "images.npz"])
def test_a_pickle_in_a_file_is_refused_and_not_run(name, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    harm = np.array([Harm()], object)
    if name.endswith("npz"):
        np.savez(name, images=harm, allow_pickle=True)
    else:
        torch.save({"state_dict": Harm()}, name)
    with pytest.raises(ValueError, match=name):
        ImageFile(name).load() if name.endswith("npz") else read(Path(name))
    assert not Path("harmed").exists()


@pytest.mark.parametrize(
    "name", ["../../x", "a/..", "/nowhere/x", "~nobody-of-this-name/x", "~", "", "a\0b", "..\\x", "x" * 5000][:-1]
)
def test_a_name_that_a_store_says_does_not_lead_out_of_known_folders(name, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="cannot be built from its recipe"):
        rebuilt({"description": f"UNet({name!r})", "content": {}})
    if name not in ("~",):
        with pytest.raises(FileNotFoundError, match="was not found"):
            folder(name)


def test_a_recipe_reads_no_file_of_the_user_s_but_in_known_folders(tmp_path, monkeypatch) -> None:
    inside, outside = tmp_path / "work" / "mine.npz", tmp_path / "secret.npz"
    inside.parent.mkdir()
    for path in (inside, outside):
        np.savez(path, images=np.zeros((1, 1, 2, 2)))
    monkeypatch.chdir(inside.parent)
    with pytest.raises(ValueError, match="a store may not name"):
        rebuilt({"description": f"ImageFile({str(outside)!r})", "content": {}})
    with pytest.raises(ValueError, match="no longer what was stored"):
        rebuilt({"description": f"ImageFile({str(inside)!r})", "content": {}})


def test_a_recipe_fetches_nothing_from_the_hub() -> None:
    with pytest.raises(ValueError, match="is not fetched unasked"):
        rebuilt({"description": "UNet('nobody-at-all/nothing')", "content": {}})


def test_a_zip_s_members_are_read_and_never_written(tmp_path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "1.png")
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name in ("1.png", "../2.png"):
            archive.write(tmp_path / "1.png", name)
    (tmp_path / "1.png").unlink()
    before = sorted(tmp_path.rglob("*"))
    assert len(ImageFolder(str(tmp_path / "in.zip"), size=8, resize=8).load()) == 1
    assert sorted(tmp_path.rglob("*")) == before
    assert not (tmp_path.parent / "2.png").exists()


def test_a_picture_that_would_fill_memory_is_refused(tmp_path) -> None:
    Image.new("1", (1, 60_000)).resize((2, 1_000_000)).save(tmp_path / "long.png")
    with pytest.raises(ValueError, match=r"long\.png must have at most"):
        ImageFolder(str(tmp_path)).load()


def test_an_npz_that_would_fill_memory_is_refused(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "vast.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", bytes(1 << 29))
    with pytest.raises(ValueError, match=r"vast\.npz must be a whole npz.*would become"):
        ImageFile(str(tmp_path / "vast.npz")).load()


def test_a_file_of_weights_that_holds_itself_or_more_than_itself_is_refused(tmp_path) -> None:
    endless: dict = {}
    endless["model"] = endless
    vast = {"a": torch.zeros(1).half().expand(10**6, 10**6)}
    for name, content in {"endless.pt": endless, "vast.pt": vast, "numbered.pt": {1: torch.zeros(1)}}.items():
        torch.save(content, tmp_path / name)
        with pytest.raises(ValueError, match=name):
            read(tmp_path / name)


@pytest.mark.parametrize("changes", [{"width": 10**9}, {"width": 10**4}, {"architecture": "nothing"}])
def test_settings_of_a_network_larger_than_its_weights_are_refused(changes, tmp_path) -> None:
    home = Path(shutil.copytree(folder("digits-classifier"), tmp_path / "vast"))
    said = json.loads((home / "config.json").read_text())
    (home / "config.json").write_text(json.dumps(said | changes))
    with pytest.raises(ValueError, match="could not be loaded"):
        ConvNet(str(home)).load()(torch.zeros(1, 1, 8, 8))


@pytest.fixture
def stored(tmp_path):
    return run(toy_tasks(), tmp_path / "stored", quiet=True)


HEADERS = {
    "vast": {"shape": [3, 1, 10**15]},
    "in vast chunks": {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, 1, 10**15]}}},
    "in other chunks": {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, 1, 1]}}},
    "of another codec": {"codecs": [{"name": "numcodecs.pickle", "configuration": {}}]},
    "of objects": {"data_type": "object"},
    "deep": {"fill_value": json.loads("[" * 500 + "]" * 500)},
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_sealed_header_that_purigeom_never_writes_is_damage(name, stored) -> None:
    (array,) = stored.glob("*.zarr/l2_distance")
    resealed(array, lambda header: header | HEADERS[name])
    if name == "deep":
        return  # a fill value takes no memory: whether it is read or refused, it is soon
    assert [finding.path for finding in store.verify(stored) if not finding.harmless] == [array]
    with pytest.raises(ValueError, match="l2_distance is damaged"):
        store.load(stored)


def test_a_chunk_that_would_fill_memory_is_refused_before_it_does(stored) -> None:
    (chunk,) = stored.glob("*.zarr/l2_distance/c.0.0.0")
    header = (chunk.parent / "zarr.json").read_bytes()
    chunk.write_bytes(compress(bytes(1 << 24), 3) + bytes(4))
    with pytest.raises(ValueError, match="would become 16777216"):
        refuse_inflation(header, chunk.read_bytes())
    assert [finding.path for finding in store.verify(stored)] == [chunk]
    with pytest.raises(ValueError, match="would become"):
        store.load(stored).load()


def test_labels_that_claim_more_words_than_there_are_are_refused(stored) -> None:
    (array,) = stored.glob("*.zarr/purifier")
    with pytest.raises(ValueError, match="claims more words"):
        refuse_inflation((array / "zarr.json").read_bytes(), compress(struct.pack("<I", 2**31), 3) + bytes(4))


@pytest.mark.parametrize(
    "change", [{"images_per_unit": 0}, {"image_ids": ["x"]}, {"rows": [{}]}, {"seed": None}, {"number": "x"}], ids=str
)
def test_a_plan_that_purigeom_never_writes_is_named(change, stored) -> None:
    (segment,) = stored.glob("*.zarr")
    replanned(segment, lambda plan: plan | change)
    for act in (store.load, store.progress_of):
        with pytest.raises(ValueError, match="is no readable segment"):
            act(stored)
    assert store.verify(stored)


def test_a_store_s_links_and_pipes_are_not_followed(stored, tmp_path) -> None:
    (chunk,) = stored.glob("*.zarr/l2_distance/c.0.0.0")
    chunk.unlink()
    os.mkfifo(chunk)
    assert [finding.path for finding in store.verify(stored)] == [chunk]
    (stored / "other.zarr").symlink_to(tmp_path)
    with pytest.raises(ValueError, match=r"other\.zarr is a link"):
        store.repair(stored)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]


def test_a_report_shows_hostile_names_as_text() -> None:
    facts = xr.Dataset(
        {
            "compression_ratio": (
                ("purifier", "displacement", "radius", "draw", "probe", "image"),
                np.ones((1, 1, 1, 1, 1, 3)),
            )
        },
        {"purifier": [HARM], "image": range(3)},
    )
    parts = [report.table(facts), report.figure("<svg></svg>", HARM), report.definitions({HARM: HARM})]
    page, tags = report.page(HARM, [(HARM, part) for part in parts]), Tags()
    tags.feed(page)
    assert tags.seen.count("script") == 1, "the one that sorts"
    assert page.count("&lt;script&gt;alert(1)") >= 8
    assert "<script>alert" not in page
