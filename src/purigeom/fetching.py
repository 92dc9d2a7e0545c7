"""How published networks get to this machine: whole, and checked where a digest is published, or not at all."""

import shutil
from pathlib import Path

from purigeom.downloads import arriving, download, sha256
from purigeom.models import Published, way, weights
from purigeom.networks.files import MODELS_VARIABLE, hub_folder, models_folder, weights_file


def fetched(one: Published) -> str:
    """Bring a network into the models folder, whole and checked as far as a digest is published; return where it is."""
    target = models_folder() / one.name
    if (found := weights(target, one)) is not None:
        _check(one, found)
        return _told(one, found)
    if one.url and one.file:
        _download(one.url, target / one.file, one)
    elif one.hub:
        with arriving(target) as partial:
            shutil.copytree(hub_folder(one.hub), partial)
            _check(one, weights(partial, one) or weights_file(partial))
    else:
        msg = f"{one.name} cannot be fetched: {way(one)}"
        raise ValueError(msg)
    return _told(one, weights(target, one) or weights_file(target))


def _told(one: Published, file: Path) -> str:
    """Return where a network is, and that nobody can say whether it is the published one where nobody can."""
    unchecked = "" if one.sha256 else f"; nobody published its sha256, which is {sha256(file)} here"
    return f"{one.name} is in {file}; use it as {one.use}{unchecked}"


def _download(url: str, file: Path, one: Published) -> None:
    try:
        download(url, file, one.sha256)
    except ConnectionError as error:
        msg = (
            f"{error} Fetch {one.name} on a machine with a network, such as a login node, and copy it into "
            f"{file.parent}; or let {MODELS_VARIABLE} name the folder that was filled there."
        )
        raise ConnectionError(msg) from error


def _check(one: Published, file: Path) -> None:
    digits = sha256(file)
    if one.sha256 is not None and not digits.startswith(one.sha256):
        msg = (
            f"{one.name} must have the sha256 {one.sha256}; {file.name} has {digits}. It is damaged or another file: "
            "remove it and fetch again."
        )
        raise ValueError(msg)
