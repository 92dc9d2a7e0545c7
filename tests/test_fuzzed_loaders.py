"""Claims about everything that reads a file: whatever a stranger put into it, the answer is a sentence, and soon."""

import json
import os
import random
import resource
import shutil
import time
import warnings
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL import Image
from safetensors.torch import save_file

from purigeom import store
from purigeom.catalog import ATTACKS, DISPLACEMENTS, PURIFIERS
from purigeom.identity import recipe
from purigeom.images import ImageFile, ImageFolder
from purigeom.networks.autoencoder import Autoencoder
from purigeom.networks.classifier import ConvNet
from purigeom.networks.files import SHIPPED, folder
from purigeom.networks.tensors import read
from purigeom.prediction import files as calibrations
from purigeom.rebuilding import rebuilt
from purigeom.store import shards
from purigeom.sweep import run
from purigeom.tasks import IMAGES_PER_UNIT
from tests.hostile import changed, damaged, replanned, resealed
from tests.store.test_hostile_parts import index, indexed
from tests.toys import ToyImages, toy_tasks

UNIT, TOLD = IMAGES_PER_UNIT, ToyImages().count
"""The parts of one image that a unit has place for, and those that are there."""
SECONDS = float(os.environ.get("PURIGEOM_FUZZ_SECONDS", "0"))
"""How long each loader is fuzzed; a second in the default run, a minute in the slow one, unless it is said."""
MEMORY = 8 << 30
"""What a loader may take beside what the process has, in address space."""


@contextmanager
def bounded_memory():
    before, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, hard))


@dataclass
class Loader:
    """A file as it should be, what reads it, and where its damaged copies lie."""

    content: bytes
    path: Path
    load: object

    def try_one(self, seed):
        self.path.write_bytes(damaged(self.content, seed))
        refused(self.load, str(self.path.parent))


def refused(load, name):
    """Call what reads; let it answer, or refuse in a sentence that says where."""
    began = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = raised(load)
    if isinstance(found, KeyError):
        assert "must hold an array" in str(found)
    elif found is not None:
        assert isinstance(found, ValueError | OSError), repr(found)
        assert name in str(found) or isinstance(found, OSError), f"{found!r} does not name {name}"
    assert time.monotonic() - began < 20, "that took as long as a hang"


def raised(load):
    try:
        load()
    except Exception as error:  # looked at by the caller
        return error
    return None


def safetensors(root):
    path = root / "weights.safetensors"
    save_file({"module.a": torch.rand(3, 4).half(), "module.b": torch.arange(6)}, path)
    return Loader(path.read_bytes(), path, lambda: read(path))


def torch_s(root):
    path = root / "weights.pt"
    torch.save({"state_dict": {"module.a": torch.rand(3, 4), "module.b": torch.arange(6)}}, path)
    return Loader(path.read_bytes(), path, lambda: read(path))


def old_torch_s(root):
    path = root / "weights.pth"
    torch.save({"model": {"a": torch.rand(3, 4)}}, path, _use_new_zipfile_serialization=False)
    return Loader(path.read_bytes(), path, lambda: read(path))


def calibration(root):
    path = root / "calibration.npz"
    content = calibrations.shipped()["digits-linf-0.2"].read_bytes()
    return Loader(content, path, lambda: calibrations.load(path))


def npz_images(root):
    path = root / "images.npz"
    np.savez(path, images=np.zeros((2, 1, 4, 4), np.float32), labels=np.arange(2), ids=np.arange(2))
    return Loader(path.read_bytes(), path, ImageFile(str(path)).load)


def picture(root, ending):
    path = root / f"1.{ending}"
    numbers = np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)
    Image.fromarray(numbers).save(path)
    return Loader(path.read_bytes(), path, ImageFolder(str(root), size=8, resize=16, labels="name").load)


def png(root):
    return picture(root, "png")


def jpeg(root):
    return picture(root, "jpeg")


def webp(root):
    return picture(root, "webp")


def zipped(root):
    one, path = picture(root, "png"), root / "pictures.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.png", one.content)
    one.path.unlink()
    return Loader(path.read_bytes(), path, ImageFolder(str(path), size=8, resize=16).load)


LOADERS = (safetensors, torch_s, old_torch_s, calibration, npz_images, png, jpeg, webp, zipped)


def for_a_while(seconds, act):
    """Do something with one seed after another; return how often."""
    began, count = time.monotonic(), 0
    start = random.randrange(10**9) if SECONDS else 0
    while time.monotonic() - began < seconds or count < 20:
        try:
            act(start + count)
        except BaseException:
            print("the seed is", start + count)  # noqa: T201  so that it can become a test
            raise
        count += 1
    print(count, "cases")  # noqa: T201  shown by `pytest -s`
    return count


def long(seconds):
    return pytest.param(SECONDS or seconds, marks=pytest.mark.slow) if seconds > 5 else SECONDS or seconds


@pytest.mark.parametrize("seconds", [long(0.5), long(60)], ids=["briefly", "long"])
@pytest.mark.parametrize("kind", LOADERS, ids=lambda kind: kind.__name__)
def test_a_damaged_file_is_refused_in_a_sentence(kind, seconds, tmp_path) -> None:
    loader = kind(tmp_path)
    with bounded_memory():
        assert for_a_while(seconds, loader.try_one)


@pytest.mark.parametrize(("kind", "seed"), [(torch_s, 617267429), (old_torch_s, 370488577)])
def test_damage_that_an_hour_of_fuzzing_found_is_refused_in_a_sentence(kind, seed, tmp_path) -> None:
    """What is left of these files are a class and a pair, and no tensors by name."""
    kind(tmp_path).try_one(seed)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(toy_tasks(), tmp_path_factory.mktemp("store") / "whole", quiet=True)


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """Return a store whose numbers lie in parts of one image."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "PART_BYTES", 4)
        return run(toy_tasks(), tmp_path_factory.mktemp("store") / "cut", quiet=True)


def everything_read(root, home):
    """Read a store in every way there is; what has been repaired is read again."""
    for act in (
        lambda: store.load(root),
        lambda: store.verify(root),
        lambda: store.provenance(root),
        lambda: store.merge(home, root),
        lambda: store.repair(root),
        lambda: store.load(root),
    ):
        refused(act, str(root.parent))
    problem = raised(lambda: store.load(root).load())  # what a checksum vouches for zarr decodes, which names no file
    assert problem is None or isinstance(problem, ValueError | OSError | RuntimeError), repr(problem)


def reindexed(shard, seed):
    """Let the index of a file of parts claim something else, with the checksum of what it claims."""
    dice, (entries, parts) = random.Random(seed), index(shard.read_bytes(), UNIT)
    for _ in range(dice.choice((1, 1, 4))):
        claimed = dice.choice((0, 1, 2**20, 2**40, 2**63, 2**64 - 1, dice.randrange(200)))
        entries[dice.randrange(TOLD), dice.randrange(2)] = claimed
    shard.write_bytes(indexed(parts, entries))


def hostile_store(whole, root, seed):
    """Damage a store as a disk does, or change it as somebody does who knows the format."""
    dice = random.Random(seed)
    (segment,) = shutil.copytree(whole, root).glob("*.zarr")
    kind = dice.randrange(5)
    if kind < 2 and whole.name == "cut" and dice.randrange(2):
        reindexed(dice.choice(sorted(segment.glob("l2_distance/c.*"))), seed)
    elif kind == 0:
        file = dice.choice(sorted(path for path in segment.rglob("*") if path.is_file()))
        file.write_bytes(damaged(file.read_bytes(), seed))
    elif kind < 3:
        array = dice.choice(sorted(path for path in segment.iterdir() if path.is_dir()))
        resealed(array, lambda header: changed(header, seed))
    else:
        replanned(segment, lambda plan: changed(plan, seed))


@pytest.mark.parametrize("seconds", [long(4), long(120)], ids=["briefly", "long"])
@pytest.mark.parametrize("kind", ["whole", "cut"])
def test_a_stranger_s_store_is_read_or_refused_in_a_sentence(kind, seconds, tmp_path, request) -> None:
    stored = request.getfixturevalue(kind)

    def one(seed):
        root, home = tmp_path / "in" / "stranger", tmp_path / "in" / "home"
        hostile_store(stored, root, seed)
        everything_read(root, home)
        shutil.rmtree(tmp_path / "in")

    with bounded_memory():
        assert for_a_while(seconds, one)


@pytest.mark.parametrize("seconds", [long(2), long(60)], ids=["briefly", "long"])
@pytest.mark.parametrize("name", ["classifier", "autoencoder"])
def test_a_stranger_s_settings_of_a_network_are_refused_in_a_sentence(name, seconds, tmp_path) -> None:
    sources = {"classifier": "digits-classifier", "autoencoder": "digits-autoencoder"}
    home = shutil.copytree(folder(sources[name]), tmp_path / name)
    whole = (home / "config.json").read_text()
    load = {
        "classifier": lambda: ConvNet(str(home)).load()(torch.zeros(1, 1, 8, 8)),
        "autoencoder": lambda: Autoencoder(str(home)).fitted(),
    }[name]

    def one(seed):
        if seed % 3:
            (home / "config.json").write_text(json.dumps(changed(json.loads(whole), seed)))
        else:
            (home / "config.json").write_bytes(damaged(whole.encode(), seed))
        refused(load, str(tmp_path))

    with bounded_memory():
        assert for_a_while(seconds, one)


CHEAP = [ATTACKS, DISPLACEMENTS, {name: one for name, one in PURIFIERS.items() if "digits" not in name}]
TEXTS = sorted({recipe(one)["description"] for catalogue in CHEAP for one in catalogue.values()})


def reworded(text, seed):
    dice = random.Random(seed)
    words = ["..", "/", "'../../x'", "None", "10**9", "-1", "1e999", "()", "(", "*", "**{}", "\0", "b'x'", "lambda: 1"]
    for _ in range(dice.choice((1, 2, 5))):
        place = dice.randrange(len(text) + 1)
        text = text[:place] + dice.choice([*words, dice.choice(TEXTS)]) + text[place + dice.randrange(6) :]
    return text


@pytest.mark.parametrize("seconds", [long(1), long(60)], ids=["briefly", "long"])
def test_a_stranger_s_recipe_is_refused_in_a_sentence(seconds) -> None:
    def one(seed):
        text = reworded(TEXTS[seed % len(TEXTS)], seed)
        refused(lambda: rebuilt({"description": text, "content": {}}), text)

    with bounded_memory():
        assert for_a_while(seconds, one)


@given(some.text(max_size=30))
@settings(deadline=None)
def test_any_name_of_a_checkpoint_is_a_known_folder_or_refused(name) -> None:
    if "/" in name:
        name = name.replace("/", "..")  # hub ids are asked of the network
    problem = raised(lambda: folder(name))
    assert problem is None or "was not found" in str(problem)
    if problem is None:
        found = folder(name)
        assert found.is_relative_to(SHIPPED) or found == Path(name).expanduser()
