"""Files from the web: streamed beside their place, checked, and there only when whole."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlparse
from urllib.request import urlopen

CHUNK = 1 << 20
LARGEST = 1 << 35
"""Bytes after which a server that goes on sending is given up: no network or image set that is fetched is larger."""
PATIENCE_SECONDS = 60
"""A server that is silent for so long is given up."""


def download(url: str, target: Path, digits: str | None = None) -> None:
    """Bring a file to its place, whole and with a sha256 that begins with the known digits, or not at all.

    Raises
    ------
    ConnectionError
        Where there is no network, the file is no longer at its address, or it broke off.
    ValueError
        Where other bytes came, or the address is none of the web.
    """
    if urlparse(url).scheme not in ("http", "https"):
        msg = f"The url of a download must begin with http or https; got {url!r}."
        raise ValueError(msg)
    with arriving(target) as partial:
        _stream(url, partial)
        came = sha256(partial)
        if digits is not None and not came.startswith(digits):
            msg = (
                f"{url} must give bytes with sha256 {digits}; what came, {partial.stat().st_size} bytes, has {came}. "
                f"Nothing was kept: try again, or put the file into {target.parent} yourself."
            )
            raise ValueError(msg)


@contextmanager
def arriving(target: Path) -> Iterator[Path]:
    """Give a place beside the target, which becomes the target when all went well and is removed otherwise."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    made = [folder for folder in target.parents if not folder.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        partial.replace(target)
    finally:
        shutil.rmtree(partial) if partial.is_dir() else partial.unlink(missing_ok=True)
        with suppress(OSError):  # the first folder that is not empty stays, and those above it
            for folder in made:
                folder.rmdir()


def sha256(file: Path) -> str:
    """Return the sha256 of a file's bytes."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _stream(url: str, file: Path) -> None:
    """Write what comes into a file, with a bar in a terminal."""
    from tqdm.auto import tqdm

    try:
        with urlopen(url, timeout=PATIENCE_SECONDS) as answer, file.open("wb") as opened:  # noqa: S310  looked at above
            promised = int(answer.headers.get("Content-Length") or 0)
            with tqdm(
                desc=url.rpartition("/")[2], total=promised or None, unit="B", unit_scale=True, disable=None
            ) as bar:
                while chunk := answer.read(CHUNK):
                    opened.write(chunk)
                    bar.update(len(chunk))
                    if opened.tell() > LARGEST:
                        msg = f"{url} must give at most {LARGEST} bytes; more came, and nothing is kept."
                        raise ValueError(msg)
    except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
        raise ConnectionError(_failed(url, error)) from error
    if promised and file.stat().st_size != promised:
        raise ConnectionError(_failed(url, f"it broke off after {file.stat().st_size} of {promised} bytes"))


def _failed(url: str, reason: object) -> str:
    return f"{url} could not be fetched ({reason})."
