"""What a header and its chunks may claim, looked at before memory is taken: a digest holds off damage, no stranger."""

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numcodecs.zstd import decompress  # type: ignore[import-untyped]

from purigeom.store.shards import CHECKSUM_BYTES, Index, chunk_of, foreign_shards, part_of, shard_of

CHUNK_BYTES = 1 << 30
"""More than a unit ever says of one variable, or where that is cut into parts, of one image."""
_PLAIN = {f"{kind}{bits}" for kind in ("int", "uint", "float") for bits in (8, 16, 32, 64)} - {"float8"} | {"bool"}
_TEXT = "string"
_CODECS = {"bytes", "vlen-utf8", "zstd", "crc32c"}
_ATTRIBUTES = {"description", "units", "header_digest"}
_CUT = ("purifier", "image", "block")
"""Dimensions along which units divide an array; along any other a chunk holds everything."""
_WORD = 8
"""Bytes that a word of text takes in memory at least."""
_MAGIC = b"\x28\xb5\x2f\xfd"
_LONGER = 1 << 10
"""How much longer than its numbers, beside a 128th of them, a compressed chunk may be."""


def claim(header: Mapping[str, Any]) -> str | None:
    """Return what an array's header claims that purigeom never writes; raise where it is no header at all."""
    shape, chunks, parts, dims = header["shape"], chunk_of(header), part_of(header), header["dimension_names"]
    whole = all(isinstance(size, int) for size in [*shape, *chunks, *parts])
    whole = whole and len(shape) == len(chunks) == len(parts) == len(dims) == len({*dims})
    if not whole or min(shape, default=0) < 0 or min([*chunks, *parts], default=0) < 1:
        return f"its header claims the shape {_short(shape)} in chunks of {_short(chunks)} along {_short(dims)}"
    codecs = [codec["name"] for codec in (shard_of(header) or header)["codecs"]]
    foreign = (
        {*codecs} - _CODECS or {str(header["data_type"])} - _PLAIN - {_TEXT} or {*header["attributes"]} - _ATTRIBUTES
    )
    if foreign or codecs[1:] != ["zstd", "crc32c"] or header.get("storage_transformers"):
        return f"its header asks for {_short(sorted(foreign) or codecs)}, which purigeom does not write"
    if foreign_shards(header) or (shard_of(header) and header["data_type"] == _TEXT):
        return f"its header cuts chunks of {_short(chunks)} into {_short(parts)}, as purigeom does not"
    if math.prod(parts) * _item_bytes(header) > CHUNK_BYTES:
        return f"its header claims chunks of {_short(parts)}, more than {CHUNK_BYTES} bytes each"
    uncut = [dim for dim in dims if dim not in _CUT or len(dims) == 1]
    if any(size > chunk for dim, size, chunk in zip(dims, shape, chunks, strict=True) if dim in uncut):
        return f"its header claims several chunks along {_short(uncut)}"
    return None


def refuse_inflation(header: bytes, chunk: bytes) -> None:
    """Raise where a chunk, or a part of a shard, would become more in memory than its header says.

    Damage of a chunk is left to the codecs; that of an index shows here.
    """
    index = index_of(header)
    for part in index.split(chunk) if index else [chunk]:
        refuse_inflated_part(header, part)


def refuse_inflated_part(header: bytes, part: bytes) -> None:
    """Raise where what is decoded at once would become more in memory than its header says."""
    needed, text, _ = decoded_at_once(header)
    if not part.startswith(_MAGIC):
        return
    inflated = _content_bytes(part)
    if inflated is None or inflated > (CHUNK_BYTES if text else needed):
        msg = f"a chunk of {needed} bytes would become {inflated or 'nobody knows how many'} in memory"
        raise ValueError(msg)
    if text and int.from_bytes(decompress(part[:-CHECKSUM_BYTES])[:4], "little") * _WORD > needed:
        msg = "a chunk of text claims more words than its header"
        raise ValueError(msg)


def index_of(header: bytes) -> Index | None:
    """Return what the index at the end of an array's files looks like; nothing where they have none."""
    needed, _, parts = decoded_at_once(header)
    return Index(parts, needed + needed // 128 + _LONGER) if parts else None


def damaged(path: object, problem: str) -> str:
    """Return the sentence to raise for something damaged in an array."""
    return (
        f"{path} is damaged: {problem}. Restore it, or let `purigeom check --repair` drop what is broken: the next run "
        "answers it again."
    )


@lru_cache
def decoded_at_once(header: bytes) -> tuple[int, bool, int]:
    """Return how many bytes are decoded at once, whether these are words, and how many parts a file is cut into."""
    found = json.loads(header)
    part = math.prod(part_of(found))
    parts = math.prod(chunk_of(found)) // part if shard_of(found) else 0
    return part * _item_bytes(found), found["data_type"] == _TEXT, parts


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
