from dataclasses import dataclass

import numpy as np
import pytest
import torch

from purigeom import Task, run, store
from purigeom.images import Cifar, Digits, ImageFolder, InMemory, batch_digest, ids_of, loaded, set_digest
from purigeom.measurements.distances import Distances
from purigeom.procedural import Procedural
from purigeom.protocols import Batch, Cut
from purigeom.purifiers.gaussian import GaussianNoise
from purigeom.store.plan import Plan, Question
from purigeom.tasks import IMAGES_PER_UNIT

RECIPE = {"description": "", "content": {}}
AT_ONCE = IMAGES_PER_UNIT
"""More images than these at the same time would be too many."""


@dataclass(frozen=True)
class Vast:
    """Images of which no more fit into memory than one unit needs."""

    count: int
    start: int = 0

    def ids(self) -> tuple[int, ...]:
        return tuple(range(self.start, self.start + self.count))

    def __getitem__(self, places: slice) -> "Vast":
        first, last, _ = places.indices(self.count)
        return Vast(last - first, self.start + first)

    def load(self) -> Batch:
        if self.count > AT_ONCE:
            raise MemoryError
        return Batch(torch.full((self.count, 1, 2, 2), 0.5), None, self.ids())

    def content(self) -> str:
        return f"{self.count} grey images"


@pytest.fixture
def digested_in_threes(monkeypatch):
    monkeypatch.setattr("purigeom.images.parts.DIGESTED_AT_ONCE", 3)


def test_a_study_never_holds_more_images_than_a_unit_needs(tmp_path) -> None:
    images = Vast(2 * AT_ONCE + 5)
    results = store.load(run([Task("noise", GaussianNoise(0.1), Distances(), images)], tmp_path, quiet=True))
    assert results["image"].values.tolist() == list(images.ids())
    assert results["l2_distance"].notnull().all()


@pytest.mark.parametrize("images", [Digits()[5:12], Procedural(count=7, start=2), Digits()[:0], Procedural(count=0)])
def test_the_digest_of_parts_is_that_of_the_whole(images, digested_in_threes) -> None:
    assert isinstance(images, Cut)
    assert set_digest(images) == batch_digest(images.load())
    assert images.ids() == images.load().image_ids


def test_the_digest_of_pictures_is_taken_part_by_part(tmp_path, digested_in_threes) -> None:
    from PIL import Image

    for place in range(7):
        Image.new("RGB", (8, 8), (place, 2 * place, 3)).save(tmp_path / f"{place}.png")
    folder = ImageFolder(str(tmp_path), size=8, resize=8, labels="name")
    assert folder.content() == batch_digest(folder.load())
    assert folder[2:5].ids() == folder.load().image_ids[2:5]


def test_the_ids_of_cifar_are_known_before_there_are_files() -> None:
    assert Cifar("cifar10", folder="nowhere")[3:5].ids() == (50003, 50004)


def test_images_that_cannot_be_cut_are_loaded_whole() -> None:
    batch = Batch(torch.rand(4, 1, 2, 2), None, (7, 5, 3, 1))
    assert not isinstance(InMemory(batch), Cut)
    assert ids_of(InMemory(batch)) == batch.image_ids
    part = loaded(InMemory(batch), slice(1, 3))
    assert part.image_ids == (5, 3)
    assert torch.equal(part.images, batch.images[1:3])


@dataclass(frozen=True)
class Told:
    """Three images that tell what they are told to tell."""

    told: object
    length: int = 3

    def ids(self) -> object:
        return self.told

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, places: slice) -> InMemory:
        return InMemory(Batch(torch.zeros(3, 1, 2, 2), None, (0, 1, 2))[places])

    def load(self) -> Batch:
        return self[:].batch

    def content(self) -> str:
        return repr(self)


class Pairs(Told):
    """A set as torch has them: a place of it is an image and its label."""

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        return torch.zeros(1, 2, 2), 0


class Listed(Told):
    """A set with ids that are there and cannot be asked for."""

    ids = (0, 1, 2)


WRONG = {
    "ids of other images": (Told((0, 1, 5)), "its first or last image, says otherwise"),
    "fewer ids than images": (Told((0, 1), 3), "Its length, or its first"),
    "ids that are no numbers": (Told(("a", "b", "c")), "says otherwise"),
    "no images behind the places": (Pairs((0, 1, 2)), "'tuple' object has no attribute 'load'"),
    "ids that cannot be asked for": (Listed(()), "'tuple' object is not callable"),
    "ids twice": (InMemory(Batch(torch.zeros(2, 1, 2, 2), None, (4, 4))), "got 1 distinct ids for 2"),
}


@pytest.mark.parametrize(("images", "words"), WRONG.values(), ids=WRONG)
def test_a_set_that_is_not_what_it_says_is_refused_before_anything_is_written(images, words, tmp_path) -> None:
    task = Task("noise", GaussianNoise(0.1), Distances(), images)
    with pytest.raises(ValueError, match=words):
        run([task], tmp_path / "store", quiet=True)
    assert not (tmp_path / "store").exists()


@dataclass(frozen=True)
class Loaded:
    """A set that can only be loaded, with the ids that it is given."""

    given: tuple[object, ...]

    def load(self) -> Batch:
        return Batch(torch.zeros(len(self.given), 1, 2, 2), None, self.given)


@pytest.mark.parametrize("ids", [(0, 0), (0, True), (0, 2**64), (0, 1.0), (0, "one"), tuple(np.arange(2))], ids=repr)
def test_what_is_no_id_is_refused_in_words(ids) -> None:
    with pytest.raises(ValueError, match=r"The ids of Loaded\(.*must be Python's whole numbers of at most 64 bits"):
        ids_of(Loaded(ids))


def test_no_plan_exists_that_its_reader_would_refuse() -> None:
    with pytest.raises(TypeError, match="image_ids is not as purigeom writes it"):
        Plan("distances", Question(RECIPE, RECIPE, 0, "float32"), (0, 0), 128, ())
