"""Claims about the real images, and about what a CIFAR set is without them."""

import pickle

import numpy as np
import pytest
import torch

from purigeom import listing
from purigeom.catalog import IMAGES
from purigeom.identity import digest, recipe
from purigeom.images import Cifar, batch_digest
from tests.images import made
from tests.shared import DATA, needs_data

MERGED = Cifar("cifar100", "all")


@pytest.fixture(scope="module")
def merged(tmp_path_factory):
    """Return a folder with a made-up archive of 3,000 images."""
    folder = tmp_path_factory.mktemp("data")
    made.mosaics(folder / "cifar100_3k.zip", made.pixels(3000), made.labels(3000, 100))
    return folder


@needs_data
def test_the_test_split_holds_a_thousand_images_of_every_class():
    batch = Cifar(folder=str(DATA)).load()
    assert batch.images.shape == (10_000, 3, 32, 32)
    assert batch.labels.bincount().tolist() == [1000] * 10
    assert batch.labels[:10].tolist() == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1], "the official order"
    assert batch.image_ids == tuple(range(50_000, 60_000)), "they follow the train images"


@needs_data
def test_the_train_split_has_the_published_mean_and_deviation():
    batch = Cifar("cifar10", "train", folder=str(DATA)).load()
    assert batch.labels.bincount().tolist() == [5000] * 10
    assert batch.images.mean((0, 2, 3)).tolist() == pytest.approx([0.4914, 0.4822, 0.4465], abs=1e-4)
    assert batch.images.std((0, 2, 3)).tolist() == pytest.approx([0.2470, 0.2435, 0.2616], abs=1e-4)


@needs_data
def test_the_two_parts_of_the_train_split_follow_each_other():
    seam, after = (
        Cifar("cifar10", "train", folder=str(DATA))[places] for places in (slice(24_990, 25_010), slice(25_000, 25_010))
    )
    assert torch.equal(seam.load().images[10:], after.load().images)
    assert seam.load().image_ids[10:] == after.load().image_ids == tuple(range(25_000, 25_010))


@needs_data
def test_the_merged_hundred_holds_thirty_of_every_class():
    assert Cifar("cifar100", "all", folder=str(DATA)).load().labels.bincount().tolist() == [30] * 100


@needs_data
def test_the_samples_of_imagenet_are_one_per_class_and_taken_as_they_are(monkeypatch):
    monkeypatch.setenv("PURIGEOM_DATA", str(DATA))
    batch = IMAGES["imagenet-samples"][990:].load()
    assert batch.images.shape == (10, 3, 224, 224)
    assert batch.labels.tolist() == list(batch.image_ids) == list(range(990, 1000))


def test_sets_are_described_sliced_and_listed_without_touching_a_file(monkeypatch):
    monkeypatch.setenv("PURIGEOM_DATA", "no such folder")
    assert [len(IMAGES[name]) for name in ("cifar10", "cifar10-train", "cifar100", "cifar10.1")] == [
        10_000,
        50_000,
        10_000,
        2_000,
    ]
    assert repr(Cifar(folder="mine")[100:][:5]) == "Cifar(name='cifar10', split='test', start=100, stop=105)"
    assert repr(IMAGES["imagenet"]) in listing.catalogue()
    with pytest.raises(NotADirectoryError, match="PURIGEOM_DATA must name a folder of data; 'no such folder' is none"):
        Cifar().load()


def test_a_slice_is_the_same_part_of_the_whole(merged):
    whole, part = (images.load() for images in (merged_in(merged), merged_in(merged)[995:2005]))
    np.testing.assert_array_equal((whole.images * 255).round().numpy(), made.pixels(3000))
    np.testing.assert_array_equal(whole.labels, made.labels(3000, 100))
    assert torch.equal(part.images, whole.images[995:2005])
    assert torch.equal(part.labels, whole.labels[995:2005])
    assert part.image_ids == tuple(range(995, 2005))
    assert part.images.dtype == torch.float32


def test_an_empty_slice_holds_nothing(merged):
    batch = merged_in(merged)[5:2].load()
    assert (batch.images.shape, len(batch.labels), batch.image_ids) == ((0, 3, 32, 32), 0, ())


def test_a_key_does_not_tell_where_the_files_lie(merged, monkeypatch):
    given = digest(recipe(merged_in(merged)[:4]))
    monkeypatch.setenv("PURIGEOM_DATA", str(merged))
    assert digest(recipe(MERGED[:4])) == given == digest(recipe(pickle.loads(pickle.dumps(MERGED))[:4]))
    assert digest(recipe(MERGED[:5])) != given


def test_a_batch_can_be_changed_without_changing_the_next(merged):
    first = merged_in(merged)[:3].load()
    before = batch_digest(first)
    first.images.zero_()
    first.labels.zero_()
    assert batch_digest(merged_in(merged)[:3].load()) == merged_in(merged)[:3].content() == before


def test_files_that_change_are_read_again(tmp_path):
    path = tmp_path / "cifar100_3k.zip"
    made.mosaics(path, made.pixels(3000), made.labels(3000, 100))
    before = merged_in(tmp_path)[:2].content()
    made.mosaics(path, made.pixels(3000, first=1), made.labels(3000, 100))
    assert merged_in(tmp_path)[:2].content() != before


@pytest.mark.parametrize(("name", "split"), [("cifar10", "all"), ("cifar10.1", "train"), ("cifar11", "test")])
def test_a_split_that_is_none_is_refused_with_those_there_are(name, split):
    with pytest.raises(ValueError, match=rf"'cifar100 all'.*got '{name}' and '{split}'"):
        Cifar(name, split)


def merged_in(folder):
    return Cifar("cifar100", "all", folder=str(folder))
