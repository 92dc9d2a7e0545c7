"""Arrays as files: encoded in memory, put header last, and read only where the header is the one it was."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import zarr
from zarr.buffer.cpu import Buffer
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.core.metadata.v3 import ArrayV3Metadata
from zarr.storage import MemoryStore, StorePath

from purigeom.identity import digest
from purigeom.store.limits import claim, damaged, refuse_inflation
from purigeom.store.places import Place, arrays, put, read

HEADER = "header_digest"
"""The attribute of an array that holds the digest of the rest of its header, so that damage shows."""
FILE = "zarr.json"
"""The file of an array's or segment's header: what has none is not there."""
LABELS = "c.0"
"""The file of an array's labels along one dimension."""
TEXT = np.dtypes.StringDType()
_CODECS = (ZstdCodec(level=3), Crc32cCodec())  # the checksum covers the bytes as they lie on disk
_FLAT: dict[str, Any] = {"name": "default", "separator": "."}  # a chunk lies beside its siblings: one listing shows all
_CONFIG: Any = {"write_empty_chunks": True}  # zeros are an answer; a missing chunk is damage


@dataclass(frozen=True)
class Layout:
    """What an array will look like."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: np.dtype[Any]
    attributes: dict[str, Any] = field(default_factory=dict)
    parts: tuple[int, ...] | None = None
    """What each chunk is cut into, if it is: it is a shard then."""


def laid_out(name: str, layout: Layout, values: np.ndarray[Any, Any] | None = None) -> dict[str, bytes]:
    """Return the files of a new array by their paths in its segment, the header last."""
    held: dict[str, Any] = {}
    array = zarr.create_array(
        MemoryStore(held),
        name=name,
        shape=layout.shape,
        chunks=layout.parts or layout.chunks,
        shards=layout.chunks if layout.parts else None,
        dtype=layout.dtype,
        fill_value=np.nan if layout.dtype.kind == "f" else None,
        compressors=_CODECS,
        chunk_key_encoding=_FLAT,
        dimension_names=layout.dims,
        attributes=layout.attributes,
        config=_CONFIG,
    )
    header = json.loads(held[f"{name}/{FILE}"].to_bytes())
    if values is not None:
        array[...] = values
    return {**_chunks(held, name), f"{name}/{FILE}": sealed_header(header)}


def labelled(dim: str, values: np.ndarray[Any, Any]) -> dict[str, bytes]:
    """Return the files of an array of labels along one dimension."""
    values = values.astype(TEXT) if values.dtype.kind in "UO" else values
    return laid_out(dim, Layout((dim,), values.shape, values.shape, values.dtype), values)


def sealed_header(header: dict[str, Any]) -> bytes:
    """Return a header with the digest of the rest of it, as it lies on disk."""
    attributes = {**_unsealed(header)["attributes"], HEADER: digest(_unsealed(header))}
    return json.dumps({**header, "attributes": attributes}).encode()


def _unsealed(header: dict[str, Any]) -> dict[str, Any]:
    return {**header, "attributes": {name: said for name, said in header["attributes"].items() if name != HEADER}}


def encoded(name: str, header: bytes, region: tuple[slice, ...], values: np.ndarray[Any, Any]) -> dict[str, bytes]:
    """Return the chunks that hold values at a region of an array, by their paths in its segment."""
    held: dict[str, Any] = {}
    array = zarr.Array(zarr.AsyncArray(_metadata(header), StorePath(MemoryStore(held), name), _CONFIG))
    check_ownership(array, region)
    array[region] = values
    return _chunks(held, name)


@lru_cache(maxsize=256)
def _metadata(header: bytes) -> ArrayV3Metadata:
    """Return what a header says, which every unit of a segment asks for anew."""
    found = zarr.open_array(MemoryStore({FILE: Buffer.from_bytes(header)}), mode="r", zarr_format=3).metadata
    assert isinstance(found, ArrayV3Metadata)
    return found


def decoded(header: bytes, name: str, chunk: bytes) -> np.ndarray[Any, Any]:
    """Return what a chunk of an array holds, of a shard its first part; damage raises whatever the codecs raise."""
    return next(decoded_parts(header, name, chunk))


def decoded_parts(header: bytes, name: str, chunk: bytes) -> Iterator[np.ndarray[Any, Any]]:
    """Yield all that a chunk of an array holds: the parts of a shard one after another, never all of them in memory."""
    refuse_inflation(header, chunk)
    held: dict[str, Any] = {FILE: Buffer.from_bytes(header), name: Buffer.from_bytes(chunk)}
    array = zarr.open_array(MemoryStore(held), mode="r", zarr_format=3)
    owned = array.shards or array.chunks
    places = zip(map(int, name.split(".")[1:]), owned, array.shape, strict=True)
    region = [slice(place * size, min((place + 1) * size, length)) for place, size, length in places]
    cut = next((axis for axis, sizes in enumerate(zip(owned, array.chunks, strict=True)) if len({*sizes}) > 1), 0)
    for start in range(region[cut].start, region[cut].stop, array.chunks[cut]):
        part = slice(start, min(start + array.chunks[cut], region[cut].stop))
        yield np.asarray(array[(*region[:cut], part, *region[cut + 1 :])])


def _chunks(held: Mapping[str, Any], name: str) -> dict[str, bytes]:
    return {key: held[key].to_bytes() for key in sorted(held) if key.startswith(f"{name}/c")}


def check_ownership(array: "zarr.Array[Any]", region: tuple[slice, ...]) -> None:
    """Raise unless a region covers whole chunks, or shards: what two writers share, one of them loses."""
    owned = array.shards or array.chunks
    for place, chunk, size in zip(region, owned, array.shape, strict=True):
        if place.start % chunk or (place.stop % chunk and place.stop != size):
            msg = (
                f"A unit must own whole chunks of {array.path!r}, of shape {owned}; got the region {region}. "
                "Writers that share a chunk lose each other's numbers."
            )
            raise ValueError(msg)


def put_all(folder: Place, contents: Mapping[str, bytes]) -> None:
    """Put files into a folder one after another, each whole."""
    for path, content in contents.items():
        put(folder / path, content)


def opened(array: Place) -> "zarr.Array[Any]":
    """Return an array for reading; raise ValueError where its header is not the one it was made with."""
    header_of(array)
    return zarr.open_array(arrays(array), mode="r", zarr_format=3)


def header_of(array: Place) -> bytes:
    """Return an array's header; raise ValueError where it is not the one it was made with."""
    return intact(array, read(array / FILE))


def intact(array: Place, header: bytes | None) -> bytes:
    """Return a header that was read; raise ValueError where it is not the one it was made with."""
    problem = header_problem(header)
    if header is None or problem:
        raise ValueError(damaged(array, problem or ""))
    return header


def header_problem(content: bytes | None) -> str | None:
    """Return what is wrong with an array's header."""
    if content is None:
        return "its header is missing"
    try:
        header: dict[str, Any] = json.loads(content)
        whole = digest(_unsealed(header)) == header["attributes"][HEADER]
        problem = claim(header) if whole else "its header is not the one it was made with"
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        return f"its header cannot be read ({type(error).__name__}: {error})"
    return problem


def dims_of(header: bytes) -> list[str]:
    """Return an array's dimensions."""
    dims: list[str] = json.loads(header)["dimension_names"]
    return dims


def chunks_of(dims: list[str], done: Iterable[tuple[int, int]]) -> dict[str, tuple[int, int] | None]:
    """Return the files that an array must have, each with the finished unit it belongs to; labels have one for all."""
    if len(dims) == 1:
        return {LABELS: None}
    return {chunk_name(dims, *unit): unit for unit in sorted(done)}


def chunk_name(dims: list[str], row: int, block: int) -> str:
    """Return the file of a unit's chunk in an array."""
    places = {"purifier": row, "image": block, "block": block}
    return ".".join(["c", *(str(places.get(dim, 0)) for dim in dims)])
