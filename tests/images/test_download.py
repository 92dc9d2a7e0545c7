"""Claims about CIFAR where nobody has it, from a server that runs beside the test."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from purigeom.images import Cifar
from purigeom.images.cifar.splits import SPLITS, Remote
from tests.images import made
from tests.servers import serving

NAME = "cifar-10-python.tar.gz"
IMAGES, LABELS = made.pixels(10_000), made.labels(10_000)


@pytest.fixture
def archive(tmp_path):
    made.archive(tmp_path / NAME, {f"{made.EXTRACTED}/test_batch": made.batch(IMAGES, LABELS)})
    return (tmp_path / NAME).read_bytes()


@pytest.fixture
def published_at(monkeypatch, archive):
    """Return a function that moves the official address of the test split."""

    def move(url):
        remote = Remote(NAME, f"{url}/{NAME}", hashlib.sha256(archive).hexdigest())
        held = replace(SPLITS["cifar10", "test"], remotes=(remote,))
        monkeypatch.setitem(SPLITS, ("cifar10", "test"), held)

    return move


def test_what_is_nowhere_is_downloaded_once_and_then_read_without_a_network(archive, published_at):
    with serving({NAME: archive}) as (url, asked):
        published_at(url)
        found = [Cifar()[:20].load(), Cifar()[:20].load()]
    assert asked == [NAME]
    np.testing.assert_array_equal((found[0].images * 255).round().numpy(), IMAGES[:20])
    assert Cifar()[:20].content() == Cifar(folder="data_cache")[:20].content()
    assert [path.name for path in Path("data_cache").iterdir()] == [NAME]


def test_only_the_files_that_are_missing_are_downloaded(monkeypatch):
    images, labels = "cifar10.1_v6_data.npy", "cifar10.1_v6_labels.npy"
    made_up = {images: made.pixels(2000).transpose(0, 2, 3, 1), labels: made.labels(2000)}
    Path("data_cache").mkdir()
    for name, array in made_up.items():
        np.save(Path("data_cache", name), array)
    content = Path("data_cache", images).read_bytes()
    Path("data_cache", images).unlink()
    with serving({images: content}) as (url, asked):
        remotes = (Remote(labels, f"{url}/{labels}", ""), Remote(images, f"{url}/{images}", ""))
        monkeypatch.setitem(SPLITS, ("cifar10.1", "test"), replace(SPLITS["cifar10.1", "test"], remotes=remotes))
        Cifar("cifar10.1").load()
    assert asked == [images]


def test_other_bytes_than_the_published_are_refused_and_not_read(archive, published_at):
    with serving({NAME: archive[:-1]}) as (url, _):
        published_at(url)
        with pytest.raises(ValueError, match=rf"{NAME} must give bytes with .*what came, {len(archive) - 1} bytes"):
            Cifar().load()
    assert not Path("data_cache").exists()


def test_a_download_that_breaks_off_names_the_other_ways(archive, published_at):
    with serving({NAME: archive}, promised=len(archive) + 1) as (url, _):
        published_at(url)
        with pytest.raises(FileNotFoundError, match=rf"{NAME} could not be fetched \(.*Put cifar10/test.zip or"):
            Cifar().load()


def test_every_remote_file_is_read_by_a_source_of_its_split():
    for held in SPLITS.values():
        read = {held.official.archive} if held.official else set(held.arrays)
        assert {remote.file for remote in held.remotes} in (read, set())
        assert all(len(remote.sha256) == 64 and remote.url.startswith("https://") for remote in held.remotes)
