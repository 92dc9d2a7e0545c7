"""What a header and its chunks may claim, looked at before memory is taken: a digest holds off damage, no stranger."""

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numcodecs.zstd import decompress  # type: ignore[import-untyped]
from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import BufferPrototype
from zarr.storage import LocalStore, WrapperStore

CHUNK_BYTES = 1 << 30
"""More than one unit ever says of one variable."""
_PLAIN = {f"{kind}{bits}" for kind in ("int", "uint", "float") for bits in (8, 16, 32, 64)} - {"float8"} | {"bool"}
_TEXT = "string"
_CODECS = {"bytes", "vlen-utf8", "zstd", "crc32c"}
_ATTRIBUTES = {"description", "units", "header_digest"}
_CUT = ("purifier", "image", "block")
"""Dimensions along which units divide an array; along any other a chunk holds everything."""
_WORD = 8
"""Bytes that a word of text takes in memory at least."""
_MAGIC, _CHECKSUM_BYTES = b"\x28\xb5\x2f\xfd", 4


def claim(header: Mapping[str, Any]) -> str | None:
    """Return what an array's header claims that purigeom never writes; raise where it is no header at all."""
    shape, chunks, dims = header["shape"], chunk_of(header), header["dimension_names"]
    whole = all(isinstance(size, int) for size in [*shape, *chunks]) and len(shape) == len(chunks) == len(dims)
    if not whole or min(shape, default=0) < 0 or min(chunks, default=0) < 1 or len({*dims}) < len(dims):
        return f"its header claims the shape {_short(shape)} in chunks of {_short(chunks)} along {_short(dims)}"
    codecs = [codec["name"] for codec in header["codecs"]]
    foreign = (
        {*codecs} - _CODECS or {str(header["data_type"])} - _PLAIN - {_TEXT} or {*header["attributes"]} - _ATTRIBUTES
    )
    if foreign or codecs[1:] != ["zstd", "crc32c"] or header.get("storage_transformers"):
        return f"its header asks for {_short(sorted(foreign) or codecs)}, which purigeom does not write"
    if math.prod(chunks) * _item_bytes(header) > CHUNK_BYTES:
        return f"its header claims chunks of {_short(chunks)}, more than {CHUNK_BYTES} bytes each"
    uncut = [dim for dim in dims if dim not in _CUT or len(dims) == 1]
    if any(size > chunk for dim, size, chunk in zip(dims, shape, chunks, strict=True) if dim in uncut):
        return f"its header claims several chunks along {_short(uncut)}"
    return None


def chunk_of(header: Mapping[str, Any]) -> list[int]:
    """Return the shape of an array's chunks."""
    chunks: list[int] = header["chunk_grid"]["configuration"]["chunk_shape"]
    return chunks


def refuse_inflation(header: bytes, chunk: bytes) -> None:
    """Raise where a chunk would become more in memory than its header says; damage is left to the codecs."""
    needed, text = _decoded_bytes(header)
    if not chunk.startswith(_MAGIC):
        return
    inflated = _content_bytes(chunk)
    if inflated is None or inflated > (CHUNK_BYTES if text else needed):
        msg = f"a chunk of {needed} bytes would become {inflated or 'nobody knows how many'} in memory"
        raise ValueError(msg)
    if text and int.from_bytes(decompress(chunk[:-_CHECKSUM_BYTES])[:4], "little") * _WORD > needed:
        msg = "a chunk of text claims more words than its header"
        raise ValueError(msg)


class Bounded(WrapperStore[Store]):
    """A store of arrays that hands out no chunk which its array's header does not pay for."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._headers: dict[str, bytes] = {}

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Any:
        """Return what lies under a key; zarr asks for an array's header before its chunks."""
        if isinstance(self._store, LocalStore) and not (self._store.root / key).is_file():
            return None  # nothing, or a pipe or device, which would be read without end
        found = await super().get(key, prototype, byte_range)
        folder, _, name = key.rpartition("/")
        if found is not None and name == "zarr.json":
            self._headers[folder] = found.to_bytes()
        elif found is not None and folder in self._headers:
            refuse_inflation(self._headers[folder], found.to_bytes())
        return found


@lru_cache
def _decoded_bytes(header: bytes) -> tuple[int, bool]:
    """Return how many bytes a chunk has in memory, and whether these are words."""
    found = json.loads(header)
    return math.prod(chunk_of(found)) * _item_bytes(found), found["data_type"] == _TEXT


def _item_bytes(header: Mapping[str, Any]) -> int:
    return _WORD if header["data_type"] == _TEXT else np.dtype(header["data_type"]).itemsize


def _content_bytes(frame: bytes) -> int | None:
    """Return what a zstd frame (RFC 8878) says that it holds; nothing where it does not say."""
    flag, single = frame[4] >> 6, frame[4] >> 5 & 1
    start = 5 + (not single) + (0, 1, 2, 4)[frame[4] & 3]
    length = (single, 2, 4, 8)[flag]
    return int.from_bytes(frame[start : start + length], "little") + 256 * (flag == 1) if length else None


def _short(claimed: object) -> str:
    text = str(claimed)
    return text if len(text) < 100 else f"{text[:100]}..."
