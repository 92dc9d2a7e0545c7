"""Where a store lies: a local folder, or a URL of an object store; nothing else in the store knows the difference.

A local place is a plain `pathlib.Path`, a remote one a `upath.UPath`, which behaves alike and pickles to a few bytes.
Whatever is put appears whole or not at all: by a rename on a disk, by the one request that an object store answers.
"""

import errno
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union

if TYPE_CHECKING:
    from upath import UPath
    from zarr.abc.store import Store

Place: TypeAlias = Union[Path, "UPath"]  # in quotes: a local store waits for no import
"""A folder or file of a store."""
WHOLE = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "memory")
"""Schemes that show a file once its put is complete, so that a writer that is killed leaves no part of one."""
PARTIAL = ".partial"
"""How the names of files end that are not whole yet, or never were."""
_CLIENTS = ("aiobotocore", "aiohttp", "azure", "botocore", "gcsfs", "google")
"""Libraries whose errors say that a network store has refused, though they are no OSError."""


def place(root: Place | str) -> Place:
    """Return the place of a path or URL.

    Examples
    --------
    >>> place("data_cache/study").name
    'study'
    >>> str(place("memory://study") / "compression.zarr")
    'memory://study/compression.zarr'
    """
    if isinstance(root, Path):
        if re.fullmatch("[a-z][a-z0-9+.-]+:", root.parts[0] if root.parts else ""):
            msg = f"{root} was a URL before pathlib.Path took a slash from it. Give the URL as text."
            raise ValueError(msg)
        return root
    scheme, separator, path = str(root).partition("://")
    if separator and scheme in {"file", "local"}:
        return Path(path)
    return _remote(root, scheme) if separator else Path(str(root))


def _remote(root: "UPath | str", scheme: str) -> "UPath":
    if scheme not in WHOLE:
        msg = (
            f"{root} cannot hold a store: of {scheme!r} it is not known that files appear whole or not at all, as "
            f"those of {', '.join(WHOLE)} do. Copy the store to a folder and use that."
        )
        raise ValueError(msg)
    options: dict[str, Any] = {"use_listings_cache": False}  # others write too: what is there is asked anew each time
    if scheme in {"s3", "s3a"}:
        options["max_concurrency"] = 1  # s3fs would ask for the size of each file before it reads it
    try:
        from upath import UPath

        there = UPath(root, **options)
        there.fs  # noqa: B018  a missing client shows here, and not in the middle of a run
    except ImportError as error:
        msg = f"{root} needs a package that is not here: {error}. `pip install 'purigeom[remote]'` brings those of S3."
        raise ModuleNotFoundError(msg) from error
    return there


def read(file: Place) -> bytes | None:
    """Return what a file holds; nothing where there is none."""
    try:
        with reached(file):
            if isinstance(file, Path):
                return file.read_bytes() if file.is_file() else None
            return file.fs.cat_file(file.path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def put(file: Place, content: bytes) -> None:
    """Write a file so that it appears whole, in place of the one that may be there."""
    if not isinstance(file, Path):
        file.fs.pipe_file(file.path, content)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{uuid.uuid4().hex}{PARTIAL}")
    try:
        partial.write_bytes(content)
        partial.replace(file)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def remove(thing: Place) -> None:
    """Delete a file, or a folder with all it holds; do nothing where there is none."""
    if not isinstance(thing, Path):
        if thing.fs.exists(thing.path):
            thing.fs.rm(thing.path, recursive=True)
    elif thing.is_dir():
        shutil.rmtree(thing)
    else:
        thing.unlink(missing_ok=True)


def files(folder: Place) -> list[str]:
    """Return the names of a folder's files, in order; none where there is no folder."""
    return _listed(folder, "file")


def folders(folder: Place) -> list[str]:
    """Return the names of the folders in a folder, in order; none where there is no folder."""
    return _listed(folder, "directory")


def _listed(folder: Place, kind: str) -> list[str]:
    try:
        with reached(folder):
            if isinstance(folder, Path):  # a pipe or a device is no file: reading it might never end
                wanted = os.DirEntry.is_dir if kind == "directory" else os.DirEntry.is_file
                return sorted(entry.name for entry in os.scandir(folder) if wanted(entry))
            entries = folder.fs.ls(folder.path, detail=True)
    except (FileNotFoundError, NotADirectoryError):
        return []
    names = {entry["name"].rstrip("/").rpartition("/")[2] for entry in entries if entry["type"] == kind}
    return sorted(names - {"", folder.name})


def arrays(folder: Place) -> "Store":
    """Return a folder as zarr and xarray read it; no chunk is damaged, or takes more memory than its header says."""
    from zarr.storage import FsspecStore, LocalStore

    from purigeom.store.bounded import Bounded

    if isinstance(folder, Path):
        return Bounded(LocalStore(folder, read_only=True), folder)
    options: dict[str, Any] = dict(folder.storage_options)
    return Bounded(FsspecStore.from_url(str(folder), options, read_only=True), folder)


@contextmanager
def reached(there: Place) -> Iterator[None]:
    """Say where a network store could not be read, as an OSError; what is missing stays a FileNotFoundError."""
    try:
        yield
    except Exception as error:
        if isinstance(there, Path) or isinstance(error, FileNotFoundError) or not refused(error):
            raise
        msg = (
            f"{there} could not be read: {refusal(error)}. Nothing was changed; see whether the name is right and what "
            "you may do there, or try again."
        )
        raise failure(error, msg) from error


def failure(error: Exception, msg: str) -> OSError:
    """Return an error of the same number that says more."""
    number = getattr(error, "errno", None) or (errno.EACCES if isinstance(error, PermissionError) else None)
    return OSError(number, msg) if number else OSError(msg)


def refused(error: Exception) -> bool:
    """Return whether an error is a disk's or a network's."""
    return isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _CLIENTS


def refusal(error: Exception) -> str:
    """Return what a disk or a network said."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
