"""Parquet files of the Hugging Face hub, from its local cache alone."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from purigeom.images.cifar.pixels import SIDE, Pixels, decoded, fitting, fitting_labels
from purigeom.images.cifar.splits import Held, Hub
from purigeom.images.places import Stamp, stamped


def from_hub(held: Held, places: range) -> Pixels | None:
    """Return the images at some places of a split, or nothing where the local cache does not hold it."""
    if held.hub is None:
        return None
    files = _cached(held.hub)
    if not files:
        return None
    pictures, labels = _columns(tuple(map(stamped, files)), held, held.hub)
    chosen = slice(places.start, places.stop)
    rows = [decoded(picture["bytes"], (SIDE, SIDE), files[0]) for picture in pictures[chosen].to_pylist()]
    return fitting(np.stack(rows).transpose(0, 3, 1, 2), labels[chosen], len(places), held.classes, files[0])


def _cached(hub: Hub) -> list[Path]:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        found = snapshot_download(hub.repository, repo_type="dataset", local_files_only=True, allow_patterns=hub.files)
    except LocalEntryNotFoundError:
        return []
    return sorted(Path(found).glob(hub.files))


@lru_cache(maxsize=2)
def _columns(files: tuple[Stamp, ...], held: Held, hub: Hub) -> tuple[Any, Any]:
    """Return the encoded pictures, 130 MB at the most, and the labels of a whole split."""
    try:
        from pyarrow import ArrowException, concat_tables, parquet
    except ImportError as error:
        msg = f"Reading {files[0][0]} needs pyarrow, which is not there. Install `purigeom[parquet]`."
        raise ImportError(msg) from error
    try:
        table = concat_tables([parquet.read_table(path, columns=["img", hub.labels]) for path, _, _ in files])
    except (ArrowException, OSError) as error:
        msg = f"{files[0][0]} must be a whole parquet file with img and {hub.labels}; it is not ({error})."
        raise ValueError(msg) from error
    return table["img"], fitting_labels(table[hub.labels].to_numpy(), held.images, held.classes, files[0][0])
