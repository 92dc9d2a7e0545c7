"""Published networks by name: what is known of them, and where they lie."""

import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

from purigeom.downloads import sha256
from purigeom.networks.files import CHECKOUT, SHIPPED, escapes, hub_cached, models_folder, weights_file

MANIFEST = Path(__file__).parent / "data" / "models.toml"


@dataclass(frozen=True)
class Published:
    """A network as its entry in the manifest describes it; None is unknown."""

    name: str
    kind: str
    what: str
    architecture: str
    source: str
    licence: str
    use: str
    file: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    url: str | None = None
    hub: str | None = None
    obtain: str | None = None

    def __post_init__(self) -> None:
        if any(escapes(part) for part in (self.name, self.file or "")):
            msg = f"A model's name and file must stay in their folder; got {self.name!r} and {self.file!r}."
            raise ValueError(msg)


@lru_cache
def manifest() -> Mapping[str, Published]:
    """Return every network the package knows."""
    return {name: Published(name, **entry) for name, entry in tomllib.loads(MANIFEST.read_text()).items()}


def published(name: str) -> Published:
    """Return the entry of a name."""
    if name not in manifest():
        msg = f"{name!r} is no published model: choose one of {sorted(manifest())}."
        raise ValueError(msg)
    return manifest()[name]


def listed() -> str:
    """Return a line per network: its name, kind, where it lies and its licence."""
    rows = [("name", "kind", "where", "licence")]
    rows += [(one.name, one.kind, _where(one), one.licence) for one in manifest().values()]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(word.ljust(wide) for word, wide in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def shown(one: Published) -> str:
    """Return all that is known of a network, and whether what lies here is what was published."""
    known = {field.name: getattr(one, field.name) for field in fields(one)}
    told = {name: value for name, value in known.items() if value is not None or name in ("sha256", "bytes")}
    lines = [f"{name:12} {'unknown' if value is None else value}" for name, value in told.items()]
    found = lying(one)
    if found is None:
        return "\n".join([*lines, f"{'here':12} no; {way(one)}"])
    digits = sha256(found)
    return "\n".join([*lines, f"{'here':12} {found}", f"{'sha256 here':12} {digits}, {_compared(one, digits)}"])


def lying(one: Published) -> Path | None:
    """Return the file of a network's weights, where it is on this machine."""
    for root in (SHIPPED, CHECKOUT, models_folder()):
        found = weights(root / one.name, one)
        if found is not None:
            return found
    cached = hub_cached(one.hub) if one.hub else None
    return weights(cached, one) if cached else None


def _where(one: Published) -> str:
    found = lying(one)
    if found is None:
        return "not here"
    if any(found.is_relative_to(root) for root in (SHIPPED, CHECKOUT)):
        return "shipped"
    return f"in {models_folder()}" if found.is_relative_to(models_folder()) else "in the hub's cache"


def way(one: Published) -> str:
    """Return how a network gets here."""
    if one.url or one.hub:
        return f"purigeom models fetch {one.name}"
    folder = models_folder() / one.name
    return f"{one.obtain} Lay {one.file or 'it'} into {folder}, or give its own path where it is used."


def weights(folder: Path, one: Published) -> Path | None:
    """Return the file of a network's weights in a folder, where it is there."""
    if one.file:
        return folder / one.file if (folder / one.file).is_file() else None
    for part in (folder, folder / "unet"):
        with suppress(FileNotFoundError):
            return weights_file(part)
    return None


def _compared(one: Published, digits: str) -> str:
    if one.sha256 is None:
        return "what it should be is unknown"
    whole = "" if len(one.sha256) == 64 else f", of which {len(one.sha256)} digits are published"
    return f"{'as' if digits.startswith(one.sha256) else 'NOT as'} published{whole}"
