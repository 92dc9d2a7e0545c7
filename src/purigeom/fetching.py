"""How published networks get to this machine: whole and checked, or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlparse
from urllib.request import urlopen

from purigeom.models import Published, lying, sha256, way, weights
from purigeom.networks.files import MODELS_VARIABLE, hub_folder, models_folder, weights_file

PATIENCE_SECONDS = 60
"""A server that is silent for so long is given up."""


def fetched(one: Published) -> str:
    """Bring a network into the models folder, whole and checked or not at all; return where it is."""
    target = models_folder() / one.name
    if (found := weights(target, one)) is not None:
        _check(one, found)
        return f"{one.name} is in {found}; use it as {one.use}"
    if one.url and one.file:
        with _partial(target / one.file) as partial:
            _download(one.url, partial, target)
            _check(one, partial)
    elif one.hub:
        with _partial(target) as partial:
            shutil.copytree(hub_folder(one.hub), partial)
            _check(one, weights(partial, one) or weights_file(partial))
    else:
        msg = f"{one.name} cannot be fetched: {way(one)}"
        raise ValueError(msg)
    return f"{one.name} is in {lying(one)}; use it as {one.use}"


def _check(one: Published, file: Path) -> None:
    digits = sha256(file)
    if one.sha256 is not None and not digits.startswith(one.sha256):
        msg = (
            f"{one.name} must have the sha256 {one.sha256}; {file.name} has {digits}. It is damaged or another file: "
            "remove it and fetch again."
        )
        raise ValueError(msg)


@contextmanager
def _partial(target: Path) -> Iterator[Path]:
    """Give a place beside the target, which becomes the target when all went well and is removed otherwise."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        partial.replace(target)
    finally:
        shutil.rmtree(partial) if partial.is_dir() else partial.unlink(missing_ok=True)
        with suppress(OSError):  # the first folder that is not empty stays, and those above it
            for parent in partial.relative_to(models_folder()).parents:
                (models_folder() / parent).rmdir()


def _download(url: str, target: Path, folder: Path) -> None:
    if urlparse(url).scheme not in ("http", "https"):
        msg = f"A model's url must begin with http or https; got {url!r}."
        raise ValueError(msg)
    try:
        with urlopen(url, timeout=PATIENCE_SECONDS) as answer, target.open("wb") as opened:  # noqa: S310  looked at above
            shutil.copyfileobj(answer, opened)
            promised = int(answer.headers.get("Content-Length") or 0)
    except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
        msg = (
            f"{url} could not be fetched ({error}). Fetch it on a machine with a network, such as a login node, and "
            f"copy it into {folder}; or let {MODELS_VARIABLE} name the folder that was filled there."
        )
        raise ConnectionError(msg) from error
    if promised and target.stat().st_size != promised:
        msg = f"{url} broke off after {target.stat().st_size} of {promised} bytes. Fetch it again."
        raise ConnectionError(msg)
