"""Claims about keys: whatever decides an answer changes its key, and nothing else does."""

import os
import shutil
import textwrap
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from purigeom import tasks
from purigeom.attacks.pgd import PGD
from purigeom.catalog import ATTACKS, CLASSIFIERS, DISPLACEMENTS, IMAGES, PURIFIERS
from purigeom.geometry.displacement import Corners
from purigeom.identity import digest, fields, recipe
from purigeom.images import Cifar, Digits, ImageFolder, InMemory
from purigeom.measurements.compression import Compression
from purigeom.measurements.survival import Survival
from purigeom.naming import named
from purigeom.networks.classifier import ConvNet
from purigeom.networks.files import SHIPPED
from purigeom.networks.unet import UNet
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.wrapped import wrap
from purigeom.sweep import Task
from tests.processes import CONTEXT, finished, put, started
from tests.toys import Moved, Scale, ToyImages

SURVIVAL = Survival(CLASSIFIERS["digits"], (0.2,), PGD(steps=2))
TASK = Task("ddpm", DDPM(UNet("digits-ddpm"), depth=30, steps=2), SURVIVAL, Digits()[:8])


def task_key() -> str:
    return TASK.key


OTHERS = {
    "purifier field": {"purifier": replace(TASK.purifier, depth=31)},
    "seed": {"seed": 1},
    "dtype": {"dtype": "float64"},
    "slice": {"images": Digits()[:9]},
    "offset": {"images": Digits()[1:9]},
    "split": {"images": Digits("train")[:8]},
    "measurement": {"measurement": Compression((0.2,))},
    "radius": {"measurement": replace(SURVIVAL, radii=(0.3,))},
    "draws": {"measurement": replace(SURVIVAL, draws=2)},
    "attack field": {"measurement": replace(SURVIVAL, attack=PGD(steps=3))},
    "attack norm": {"measurement": replace(SURVIVAL, attack=PGD(steps=2, norm="l2"))},
}


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS)
def test_every_ingredient_changes_the_key(change):
    assert replace(TASK, **change).key != TASK.key


def test_a_purifier_s_name_is_only_a_name():
    assert replace(TASK, purifier_name="another").key == TASK.key


def test_a_displacement_changes_the_key():
    task = replace(TASK, measurement=Compression((0.2,)))
    assert replace(task, measurement=Compression((0.2,), Corners())).key != task.key


def test_a_measurement_s_version_changes_the_key(monkeypatch):
    before = TASK.key
    monkeypatch.setattr(Survival, "version", Survival.version + 1)
    assert TASK.key != before


@pytest.mark.parametrize("kind", [DDPM, PGD])
def test_a_version_inside_a_task_changes_the_key(monkeypatch, kind):
    before = TASK.key
    monkeypatch.setattr(kind, "version", kind.version + 1)
    assert TASK.key != before


def test_the_schema_s_version_changes_the_key(monkeypatch):
    before = TASK.key
    monkeypatch.setattr(tasks, "SCHEMA_VERSION", tasks.SCHEMA_VERSION + 1)
    assert TASK.key != before


def changed_weights(name: str, folder: Path) -> str:
    """Copy shipped weights, and return the copy's name after changing one number by its smallest step."""
    copy = shutil.copytree(SHIPPED / name, folder / name)
    (weights,) = copy.rglob("*.safetensors")
    tensors = load_file(weights)
    first = next(iter(tensors.values())).view(-1)
    first[0] = torch.nextafter(first[0], torch.tensor(9.0))
    save_file(tensors, weights)
    return str(copy)


def test_one_weight_of_a_purifier_changes_the_key_where_the_name_stays(tmp_path):
    network = shutil.copytree(SHIPPED / "digits-ddpm", tmp_path / "digits-ddpm")
    task = replace(TASK, purifier=DDPM(UNet(str(network)), depth=30, steps=2))
    before = task.key
    assert task.key == before
    shutil.rmtree(network)
    assert changed_weights("digits-ddpm", tmp_path) == str(network)
    assert task.key != before


def test_one_weight_of_a_classifier_inside_a_measurement_changes_the_key(tmp_path):
    network = shutil.copytree(SHIPPED / "digits-classifier", tmp_path / "digits-classifier")
    task = replace(TASK, measurement=replace(SURVIVAL, classifier=ConvNet(str(network))))
    before = task.key
    shutil.rmtree(network)
    assert changed_weights("digits-classifier", tmp_path) == str(network)
    assert task.key != before


@pytest.mark.parametrize("part", ["images", "labels", "image_ids"])
def test_the_content_of_images_changes_the_key(part):
    batch = ToyImages().load()
    images = batch.images.clone()
    images[2, 0, 1, 1] = torch.nextafter(images[2, 0, 1, 1], torch.tensor(0.0))
    other = {"images": images, "labels": 1 - batch.labels, "image_ids": batch.image_ids[::-1]}[part]
    keys = {replace(TASK, images=InMemory(found)).key for found in (batch, replace(batch, **{part: other}))}
    assert len(keys) == 2
    assert repr(InMemory(batch)) == repr(InMemory(replace(batch, **{part: other})))


STRANGER = """
from dataclasses import dataclass
FACTOR = 1
class Base:
    def factor(self):
        return {inherited}
@dataclass(frozen=True)
class Mine(Base):
    depth: int = 3
    def pin(self, noise, image_shape):
        return lambda images: {own} * images
mine = Mine()
"""


def stranger(folder: Path, module: str, **parts: str):
    """Return the object of a file that somebody wrote."""
    path = folder / f"{module}.py"
    path.write_text(textwrap.dedent(STRANGER).format(**parts))
    return named(f"{path}:mine", {}, "purifier")


def test_the_source_of_a_stranger_s_class_changes_the_key(tmp_path):
    first = stranger(tmp_path, "first_stranger", own="1", inherited="1")
    same = stranger(tmp_path, "same_stranger", own="1", inherited="1")
    other = stranger(tmp_path, "other_stranger", own="2", inherited="1")
    heir = stranger(tmp_path, "heir_of_another", own="1", inherited="2")
    assert repr(first) == repr(same) == repr(other) == repr(heir)
    assert recipe(first) == recipe(same)
    assert recipe(first) != recipe(other)
    assert recipe(first) != recipe(heir)


def test_a_wrapped_module_s_state_changes_the_key():
    def module(value):
        made = torch.nn.Conv2d(1, 1, 1, bias=False).eval()
        torch.nn.init.constant_(made.weight, value)
        return wrap(made)

    assert recipe(module(0.5)) == recipe(module(0.5))
    assert recipe(module(0.5)) != recipe(module(0.25))


class Active(torch.nn.Module):
    """Apply what it was given: a function that is no part of its `state_dict`."""

    def __init__(self, activation):
        super().__init__()
        self.activation = activation

    def forward(self, images):
        return self.activation(images)


def test_a_wrapped_module_s_functions_change_the_key():
    assert recipe(wrap(Active(torch.relu).eval())) != recipe(wrap(Active(torch.tanh).eval()))
    assert recipe(wrap(Active(torch.relu).eval())) == recipe(wrap(Active(torch.relu).eval()))


def half(images):
    return images / 2


def third(images):
    return images / 3


def test_a_wrapped_function_s_source_changes_the_key():
    assert recipe(wrap(half, name="mine")) == recipe(wrap(half, name="mine"))
    assert recipe(wrap(half, name="mine")) != recipe(wrap(third, name="mine"))


def test_a_wrapped_function_without_source_has_no_key():
    with pytest.raises(TypeError, match=r"'sigmoid' cannot be stored.*purigeom\.measure"):
        recipe(wrap(torch.sigmoid, name="sigmoid"))
    with pytest.raises(TypeError, match="cannot be stored"):
        recipe(wrap(partial(torch.clamp, min=0.5), name="clamp"))


class Colour(Enum):
    RED = 1
    BLUE = 2


@dataclass(frozen=True)
class Holder:
    thing: object
    hidden: object = field(default=None, repr=False)


@dataclass(frozen=True)
class Silent:
    """Say nothing of its field."""

    thing: object

    def __repr__(self):
        return "Silent()"


PAIRS = {
    "number": (1, 2),
    "type of number": (1, 1.0),
    "text": ("a", "b"),
    "nested": ((1, (2, 3)), (1, (2, 4))),
    "mapping": ({"a": 1}, {"a": 2}),
    "enumeration": (Colour.RED, Colour.BLUE),
    "path": (Path("a"), Path("b")),
    "description": (Holder(1), Holder(2)),
    "class": (Holder(1), Silent(1)),
    "network in a tuple": ((ConvNet("digits-classifier"),), (UNet("digits-ddpm"),)),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("hide", [Holder, lambda thing: Holder(0, thing), Silent], ids=["shown", "hidden", "silent"])
def test_a_field_changes_the_key_shown_or_not(pair, hide):
    first, other = (recipe(hide(thing)) for thing in pair)
    assert first == recipe(hide(pair[0]))
    assert first != other


UNKEYABLE = {
    "tensor": torch.zeros(2),
    "array": np.zeros(2),
    "module": torch.nn.Linear(2, 2),
    "function": half,
    "lambda": lambda images: images,
    "object": object(),
    "set": frozenset({"a", "b"}),
}


@pytest.mark.parametrize("thing", UNKEYABLE.values(), ids=UNKEYABLE)
@pytest.mark.parametrize("hide", [Holder, lambda thing: Holder(0, thing), lambda thing: Holder(((thing,),))])
def test_what_may_look_alike_and_differ_has_no_key(thing, hide):
    with pytest.raises(TypeError, match=r"cannot be stored.*frozen dataclass"):
        recipe(hide(thing))


def test_everything_in_the_catalogue_has_a_key_of_its_own():
    shipped = {name: images for name, images in IMAGES.items() if not isinstance(images, Cifar | ImageFolder)}
    for room in (PURIFIERS, ATTACKS, CLASSIFIERS, DISPLACEMENTS, shipped):
        assert len({digest(recipe(thing)) for thing in room.values()}) == len(room)
    assert len({repr(images) for images in IMAGES.values()}) == len(IMAGES), "those that are not here differ by name"


def test_equal_things_have_equal_keys_in_other_processes():
    """The server of processes hashes strings with another seed than this process."""
    queue = CONTEXT.Queue()
    process = started(put, task_key, queue)
    assert queue.get(timeout=60) == replace(TASK, images=Digits()[:8]).key
    assert finished([process]) == [0]
    assert process.pid != os.getpid()


def test_the_diary_of_a_toy_is_no_part_of_its_key(tmp_path):
    assert recipe(Moved()) == recipe(Moved(diary=tmp_path))


def test_plain_fields_are_for_tables():
    assert fields(Scale(0.5)) == {"factor": 0.5}
    assert fields(replace(TASK.purifier, depth=7))["depth"] == 7
    assert "network" not in fields(TASK.purifier)
    assert fields(half) == {}
