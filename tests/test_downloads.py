"""Claims about downloads, from a server that runs beside the test."""

import hashlib

import pytest

from purigeom.downloads import arriving, download, sha256
from tests.servers import serving

BYTES = bytes(range(256)) * 300
DIGITS = hashlib.sha256(BYTES).hexdigest()


@pytest.fixture(autouse=True)
def nearby(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


@pytest.mark.parametrize("digits", [DIGITS, DIGITS[:8], None], ids=["all digits", "eight digits", "no digits"])
def test_a_file_arrives_whole_and_alone(tmp_path, digits):
    target = tmp_path / "new" / "folder" / "some.npy"
    with serving({"some.npy": BYTES}) as (url, _):
        download(f"{url}/some.npy", target, digits)
    assert target.read_bytes() == BYTES
    assert list(target.parent.iterdir()) == [target]
    assert sha256(target) == DIGITS


FAILURES = {
    "other bytes": (None, "some.npy", f"must give bytes with sha256 {'0' * 64}; what came, 76800 bytes, has {DIGITS}"),
    "too few bytes": (80_000, "some.npy", r"some.npy could not be fetched \(.*76800"),
    "none": (None, "gone.npy", r"gone.npy could not be fetched \(HTTP Error 404"),
}


@pytest.mark.parametrize("beside", [[], ["other"]], ids=["into a new folder", "into one with another file"])
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_what_does_not_arrive_whole_leaves_nothing(tmp_path, beside, failure):
    promised, file, words = failure
    folder = tmp_path / "new" / "folder"
    for other in beside:
        folder.mkdir(parents=True)
        (folder / other).touch()
    before = list(tmp_path.rglob("*"))
    with serving({"some.npy": BYTES}, promised) as (url, _), pytest.raises((ValueError, ConnectionError), match=words):
        download(f"{url}/{file}", folder / file, "0" * 64)
    assert list(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("promised", [None, 70_000], ids=["more is promised", "less is promised"])
def test_a_server_that_never_ends_is_given_up(tmp_path, promised, monkeypatch):
    monkeypatch.setattr("purigeom.downloads.CHUNK", 1000)
    monkeypatch.setattr("purigeom.downloads.LARGEST", 50_000)
    with (
        serving({"some.npy": BYTES}, promised) as (url, _),
        pytest.raises(ValueError, match="at most 50000 bytes; more"),
    ):
        download(f"{url}/some.npy", tmp_path / "new" / "some.npy")
    assert not list(tmp_path.iterdir())


def test_an_address_without_a_server_is_named(tmp_path):
    with serving({}) as (closed, _):
        pass
    with pytest.raises(ConnectionError, match=rf"{closed}/some.npy could not be fetched \(.*refused"):
        download(f"{closed}/some.npy", tmp_path / "some.npy")


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://example.org/weights.pt"])
def test_only_the_web_is_downloaded_from(tmp_path, url):
    with pytest.raises(ValueError, match="must begin with http or https; got"):
        download(url, tmp_path / "some.npy")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_arrives_in_part_leaves_nothing(tmp_path):
    def broken() -> None:
        with arriving(tmp_path / "new" / "whole") as partial:
            partial.mkdir()
            (partial / "first").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert not list(tmp_path.iterdir())
