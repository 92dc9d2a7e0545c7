"""Shards: files of large answers, cut into parts of some images that can be read alone, and an index of them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from google_crc32c import value as crc32c

PART_BYTES = 4 << 20
"""What a unit may say of a variable in one piece, in memory; of more, its file is cut into parts of at most that."""
CHECKSUM_BYTES = 4
"""What lies behind every chunk, part and index."""
_SHARD = "sharding_indexed"
_MOST_PARTS = 1 << 16
"""More than a unit has images."""
_INDEX_CODECS = ["bytes", "crc32c"]
_ENTRY_BYTES = 16
"""Where a part begins, and how long it is."""
_ABSENT = 2**64 - 1


def parts_of(dims: tuple[str, ...], chunk: tuple[int, ...], item_bytes: int) -> tuple[int, ...] | None:
    """Return the shape of the parts into which a unit's answer is cut; nothing where it stays one chunk.

    It stays one chunk up to `PART_BYTES` in memory. Beyond, it is cut along its images alone, into equal parts of as
    many images as fit into `PART_BYTES`, or of one where not even one fits.

    Examples
    --------
    >>> parts_of(("purifier", "draw", "image"), (1, 20, 128), 4)
    >>> parts_of(("purifier", "image", "channel", "row", "column"), (1, 128, 3, 224, 224), 4)
    (1, 4, 3, 224, 224)
    """
    if math.prod(chunk) * item_bytes <= PART_BYTES:
        return None
    along = dims.index("image")
    images = chunk[along]
    each = math.prod(chunk) // images * item_bytes
    fitting = max(
        (share for share in range(1, images + 1) if images % share == 0 and share * each <= PART_BYTES), default=1
    )
    return tuple(fitting if place == along else size for place, size in enumerate(chunk))


def chunk_of(header: Mapping[str, Any]) -> list[int]:
    """Return the shape of an array's chunks, each of which is a file; of its shards, where it has some."""
    chunks: list[int] = header["chunk_grid"]["configuration"]["chunk_shape"]
    return chunks


def shard_of(header: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return how an array's files are cut; nothing where they are not."""
    codecs = header["codecs"]
    cut: Mapping[str, Any] | None = codecs[0]["configuration"] if codecs[0]["name"] == _SHARD else None
    return cut


def part_of(header: Mapping[str, Any]) -> list[int]:
    """Return the shape of what is decoded at once: a part of a shard, or else a chunk."""
    cut = shard_of(header)
    part: list[int] = cut["chunk_shape"] if cut else chunk_of(header)
    return part


def foreign_shards(header: Mapping[str, Any]) -> bool:
    """Return whether an array's files are cut in a way in which purigeom never cuts any."""
    cut, chunk, part = shard_of(header), chunk_of(header), part_of(header)
    if cut is None:
        return False
    along = zip(header["dimension_names"], chunk, part, strict=True)
    uneven = any(whole % share or (whole != share and dim != "image") for dim, whole, share in along)
    index = cut["index_codecs"]
    ordered = [codec["name"] for codec in index] == _INDEX_CODECS and index[0]["configuration"] == {"endian": "little"}
    many = math.prod(chunk) // math.prod(part) > _MOST_PARTS
    return uneven or many or not ordered or cut["index_location"] != "end" or len(header["codecs"]) > 1


@dataclass(frozen=True)
class Index:
    """How the index of a shard looks: how many parts it has, and how many bytes a part lies in at most."""

    parts: int
    longest: int

    @property
    def size(self) -> int:
        """Return how many bytes an index has."""
        return self.parts * _ENTRY_BYTES + CHECKSUM_BYTES

    def places(self, index: bytes) -> list[slice]:
        """Return where the parts lie that are there; raise where an index is damaged, or says what none can say."""
        if len(index) != self.size or not whole(index):
            msg = "the checksum of its index is not that of what it says"
            raise ValueError(msg)
        entries = np.frombuffer(index[:-CHECKSUM_BYTES], "<u8").reshape(-1, 2).tolist()
        there = [slice(start, start + length) for start, length in entries if (start, length) != (_ABSENT, _ABSENT)]
        lengths = [length for _, length in entries[: len(there)]]  # those behind the last image are not there
        if not there or not all(CHECKSUM_BYTES < length <= self.longest for length in lengths):
            msg = "its index claims parts that are too long or not there"
            raise ValueError(msg)
        if max(place.stop for place in there) >= 2**63:
            msg = "its index claims places that no file has"
            raise ValueError(msg)
        return there

    def split(self, shard: bytes) -> Iterator[bytes]:
        """Yield the parts of a shard; raise where its index leads out of it."""
        places = self.places(shard[-self.size :])
        if max(place.stop for place in places) > len(shard) - self.size:
            msg = "its index claims more bytes than there are"
            raise ValueError(msg)
        if sum(place.stop - place.start for place in places) != len(shard) - self.size:
            msg = "its parts are not all that it holds"
            raise ValueError(msg)
        yield from (shard[place] for place in places)


def whole(content: bytes) -> bool:
    """Return whether bytes end with the checksum of all that comes before."""
    said = content[-CHECKSUM_BYTES:]
    return len(said) == CHECKSUM_BYTES and crc32c(content[:-CHECKSUM_BYTES]).to_bytes(4, "little") == said
