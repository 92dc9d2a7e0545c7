"""Arrays on disk: each appears whole, and its header says what its header must be."""

import json
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec

from purigeom.identity import digest

HEADER = "header_digest"
"""The attribute of an array that holds the digest of the rest of its header, so that damage shows."""
TEXT = np.dtypes.StringDType()
_CODECS = (ZstdCodec(level=3), Crc32cCodec())  # the checksum covers the bytes as they lie on disk
_FLAT: dict[str, Any] = {"name": "default", "separator": "."}  # a chunk lies beside its siblings: one listing shows all


@dataclass(frozen=True)
class Layout:
    """What an array will look like."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: np.dtype[Any]
    attributes: dict[str, Any] = field(default_factory=dict)


def add_array(folder: Path, name: str, layout: Layout) -> None:
    """Add an empty array to a segment's folder; leave the one that is there already."""
    with whole(folder / name, folder.parent) as scratch:
        _create(scratch, layout)


def add_values(folder: Path, name: str, dim: str, values: np.ndarray[Any, Any]) -> None:
    """Add an array of labels along one dimension to a segment's folder; leave the one that is there already."""
    values = values.astype(TEXT) if values.dtype.kind in "UO" else values
    with whole(folder / name, folder.parent) as scratch:
        _create(scratch, Layout((dim,), values.shape, values.shape, values.dtype))[...] = values


def _create(path: Path, layout: Layout) -> "zarr.Array[Any]":
    array = zarr.create_array(
        path,
        shape=layout.shape,
        chunks=layout.chunks,
        dtype=layout.dtype,
        fill_value=np.nan if layout.dtype.kind == "f" else None,
        compressors=_CODECS,
        chunk_key_encoding=_FLAT,
        dimension_names=layout.dims,
        attributes=layout.attributes,
        config={"write_empty_chunks": True},
    )
    file = path / "zarr.json"
    header = {**json.loads(file.read_text()), "attributes": layout.attributes}
    header["attributes"] = {**layout.attributes, HEADER: digest(header)}
    file.write_text(json.dumps(header))
    return array


@contextmanager
def whole(target: Path, room: Path) -> Iterator[Path]:
    """Yield a scratch folder in a room; it becomes `target` at the end, unless another process was first."""
    scratch = room / f".{target.name}.{uuid.uuid4().hex}.partial"
    try:
        yield scratch
        scratch.rename(target)
    except OSError:
        if not target.exists():
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def opened(folder: Path, name: str, mode: Literal["r", "r+"] = "r") -> "zarr.Array[Any]":
    """Return an array of a segment; raise ValueError where its header is not the one it was made with."""
    problem = header_problem(folder / name)
    if problem:
        raise ValueError(damaged(folder / name, problem))
    array = zarr.open_array(folder / name, mode=mode)
    return array.with_config({"write_empty_chunks": True})  # zeros are an answer; a missing chunk is damage


def header_problem(path: Path) -> str | None:
    """Return what is wrong with an array's header."""
    try:
        header = json.loads((path / "zarr.json").read_text())
        written = header["attributes"].pop(HEADER)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"its header cannot be read ({type(error).__name__}: {error})"
    return None if digest(header) == written else "its header is not the one it was made with"


def chunk_problem(path: Path, done: Iterable[tuple[int, int]]) -> str | None:
    """Return which chunk is missing: the one of an array of labels, or of a finished row and block."""
    dims = json.loads((path / "zarr.json").read_text())["dimension_names"]
    there = {entry.name for entry in path.iterdir()}
    places = [{"purifier": row, "image": block, "block": block} for row, block in sorted(done)]
    wanted = [[0]] if len(dims) == 1 else [[place.get(dim, 0) for dim in dims] for place in places]
    names = (".".join(["c", *map(str, place)]) for place in wanted)
    missing = next((name for name in names if name not in there), None)
    return f"the chunk {missing} is missing" if missing else None


def damaged(path: Path, problem: str) -> str:
    """Return the sentence to raise for a damaged array."""
    return f"{path} is damaged: {problem}. Restore it, or delete the segment {path.parent.name} to measure it anew."
