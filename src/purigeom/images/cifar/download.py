"""Downloads: streamed beside their place, checked, and moved there only when whole."""

import hashlib
import os
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from purigeom.images.cifar.splits import Remote

CHUNK = 1 << 20
SECONDS = 30
"""How long a silent connection is waited for."""


def fetched(remote: Remote, folder: Path) -> Path:
    """Return where a file lies, downloading it if it is not there.

    Raises
    ------
    ConnectionError
        Where there is no network, or the file is no longer at its address.
    ValueError
        Where other bytes came than those whose sha256 is known; they are not kept.
    """
    target = folder / remote.file
    if target.is_file():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{remote.file}.{os.getpid()}"
    try:
        came = _streamed(remote, partial)
        if came != remote.sha256:
            msg = (
                f"{remote.url} must give bytes with sha256 {remote.sha256}; what came, {partial.stat().st_size} bytes, "
                f"has {came}. Nothing was kept: try again, or put the file into {folder} yourself."
            )
            raise ValueError(msg)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def _streamed(remote: Remote, partial: Path) -> str:
    """Write a download to a file, with a bar in a terminal, and return the sha256 of what came."""
    from tqdm.auto import tqdm

    total = hashlib.sha256()
    try:
        with urlopen(remote.url, timeout=SECONDS) as answer, partial.open("wb") as file:  # noqa: S310  our own addresses
            size = int(answer.headers.get("Content-Length", 0)) or None
            with tqdm(desc=remote.file, total=size, unit="B", unit_scale=True, disable=None) as bar:
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
                    total.update(chunk)
                    bar.update(len(chunk))
    except (OSError, HTTPException) as error:
        msg = f"{remote.url} could not be fetched ({error})."
        raise ConnectionError(msg) from error
    return total.hexdigest()
