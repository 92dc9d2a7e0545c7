"""Claims about places: a folder and an object store behave alike, and every file is whole or absent."""

import pickle
from pathlib import Path

import pytest
from upath import UPath

from purigeom.store.places import files, folders, place, put, read, remove


@pytest.fixture(params=["folder", "memory", "bucket"])
def root(request, tmp_path):
    """Return an empty place of every kind."""
    if request.param == "bucket":
        return place(request.getfixturevalue("bucket") / "store")
    return tmp_path / "store" if request.param == "folder" else place(f"memory:/{tmp_path}/store")


def test_a_folder_and_an_object_store_behave_alike(root):
    assert read(root / "file") is None
    assert files(root) == folders(root) == []
    for name in ("b/one", "b/c/two", "a", "empty"):
        put(root / name, name.encode() if name != "empty" else b"")
    assert (files(root), folders(root)) == (["a", "empty"], ["b"])
    assert (files(root / "b"), folders(root / "b")) == (["one"], ["c"])
    assert read(root / "b" / "c" / "two") == b"b/c/two"
    assert read(root / "empty") == b""
    put(root / "a", b"another")
    assert read(root / "a") == b"another"
    for thing in (root / "b", root / "a", root / "never there"):
        remove(thing)
    assert (files(root), folders(root)) == (["empty"], [])


def test_what_others_put_is_seen_at_once(root):
    put(root / "mine", b"1")
    assert files(root) == ["mine"]
    other = pickle.loads(pickle.dumps(root)) if isinstance(root, Path) else UPath(root, skip_instance_cache=True)
    put(other / "theirs", b"2")
    remove(other / "mine")
    assert files(root) == ["theirs"]


def test_a_place_travels_as_a_few_bytes(root):
    sent = pickle.dumps(root / "segment.zarr")
    assert len(sent) < 1000
    assert pickle.loads(sent) == root / "segment.zarr"
    assert hash(pickle.loads(sent)) == hash(root / "segment.zarr")


def test_more_files_than_a_server_lists_at_once_are_all_listed(bucket, monkeypatch):
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    names = [f"c.{number}.0" for number in range(33)]
    for name in names:
        put(place(bucket) / "many" / name, b"")
    assert files(place(bucket) / "many") == sorted(names)


def test_a_writer_that_is_stopped_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    put(tmp_path / "file", b"as it was")

    class Stopped(BaseException):
        pass

    def half(path, content):
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise Stopped

    monkeypatch.setattr(Path, "write_bytes", half)
    for name in ("file", "new"):
        with pytest.raises(Stopped):
            put(tmp_path / name, b"something else")
    assert read(tmp_path / "file") == b"as it was"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_text_without_a_scheme_is_a_folder(tmp_path):
    assert place(str(tmp_path)) == place(tmp_path) == place(f"file://{tmp_path}") == tmp_path
    assert isinstance(place("data/study"), Path)


@pytest.mark.parametrize(
    ("root", "error", "message"),
    [
        ("sftp://host/study", ValueError, "'sftp' it is not known that files appear whole or not at all"),
        ("https://host/study", ValueError, "Copy the store to a folder"),
        (Path("s3://bucket/study"), ValueError, "Give the URL as text"),
        ("gs://bucket/study", ModuleNotFoundError, "needs a package that is not here: .*gcsfs"),
    ],
)
def test_what_cannot_hold_a_store_is_refused_with_a_remedy(root, error, message):
    with pytest.raises(error, match=message):
        place(root)
