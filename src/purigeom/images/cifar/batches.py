"""The official python batches, extracted or in their archive."""

import gzip
import tarfile
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np

from purigeom.images.cifar.pickles import unpickled
from purigeom.images.cifar.pixels import Pixels, complete, fitting
from purigeom.images.cifar.splits import Held, Official
from purigeom.images.places import Stamp, stamped


def from_batches(folder: Path, held: Held, places: range) -> Pixels | None:
    """Return the images at some places of a split, or nothing where there are neither batches nor their archive."""
    if held.official is None:
        return None
    paths = [folder / name for name in held.official.batches]
    if complete(paths, held.title):
        return _extracted(tuple(map(stamped, paths)), held, held.official).at(places)
    archive = folder / held.official.archive
    return _archived(stamped(archive), held, held.official).at(places) if archive.is_file() else None


@lru_cache(maxsize=2)
def _extracted(batches: tuple[Stamp, ...], held: Held, official: Official) -> Pixels:
    """Return a whole split; two of them take at most 300 MB."""
    return _joined([_batch(path.read_bytes(), str(path), held, official) for path, _, _ in batches])


@lru_cache(maxsize=2)
def _archived(archive: Stamp, held: Held, official: Official) -> Pixels:
    """Return a whole split, in one pass over the archive."""
    path, found = archive[0], {}
    try:
        with tarfile.open(path, "r:gz") as members:
            for member in members:
                stored = members.extractfile(member) if member.name in official.batches else None
                if stored is not None:
                    found[member.name] = _batch(stored.read(), f"{path}:{member.name}", held, official)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        msg = f"{path} must be a whole tar.gz of batches; it is damaged or cut short ({error}). Fetch it again."
        raise ValueError(msg) from error
    missing = [name for name in official.batches if name not in found]
    if missing:
        msg = f"{path} must hold {' and '.join(missing)}; it does not. Fetch it again."
        raise ValueError(msg)
    return _joined([found[name] for name in official.batches])


def _batch(content: bytes, where: str, held: Held, official: Official) -> Pixels:
    batch, key = unpickled(content, where), official.labels.encode()
    if not isinstance(batch, dict) or not {b"data", key} <= set(batch):
        holds = list(batch) if isinstance(batch, dict) else type(batch).__name__
        msg = f"{where} must hold a dict with {b'data'!r} and {key!r}; it holds {holds}. Fetch it again."
        raise ValueError(msg)
    return fitting(batch[b"data"], batch[key], held.images // len(official.batches), held.classes, where)


def _joined(parts: list[Pixels]) -> Pixels:
    return Pixels(np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts]))
