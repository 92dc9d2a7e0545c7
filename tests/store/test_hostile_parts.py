"""Claims about files of parts that a stranger wrote: every checksum is right, and what it vouches for is not."""

import struct

import numpy as np
import pytest
from numcodecs.zstd import compress

from purigeom import store, tasks
from purigeom.store import shards
from purigeom.store.places import put, read
from purigeom.sweep import run
from tests.hostile import resealed
from tests.store.test_repair import harmful
from tests.store.test_sizes import ASKED, DRAWS, IMAGES_PER_UNIT, PART_BYTES, shard


@pytest.fixture
def cut(small_units, monkeypatch, tmp_path):
    """Return a store of units of four parts."""
    monkeypatch.setattr(tasks, "IMAGES_PER_UNIT", IMAGES_PER_UNIT)
    monkeypatch.setattr(shards, "PART_BYTES", PART_BYTES)
    return run(ASKED, tmp_path / "cut", quiet=True)


def index(content, parts=4):
    """Return an index as pairs of a start and a length, and what comes before."""
    size = 16 * parts + 4
    return np.frombuffer(content[-size:-4], "<u8").reshape(-1, 2).copy(), content[:-size]


def indexed(parts, entries):
    """Return a shard whose index says this, with the checksum of what it says."""
    said = b"".join(struct.pack("<QQ", *(int(number) % 2**64 for number in entry)) for entry in entries)
    return parts + said + shards.crc32c(said).to_bytes(4, "little")


CUTS = {
    "parts that do not divide": lambda cut: cut | {"chunk_shape": [1, DRAWS, 3]},
    "parts of draws": lambda cut: cut | {"chunk_shape": [1, DRAWS // 2, 2]},
    "parts of nothing": lambda cut: cut | {"chunk_shape": [1, DRAWS, 0]},
    "parts of fewer dimensions": lambda cut: cut | {"chunk_shape": [1, DRAWS]},
    "an index elsewhere": lambda cut: cut | {"index_location": "start"},
    "an index without a checksum": lambda cut: cut | {"index_codecs": cut["index_codecs"][:1]},
    "an index that inflates": lambda cut: cut | {"index_codecs": cut["codecs"]},
    "an index read backwards": lambda cut: cut | {"index_codecs": [_big_endian(cut), cut["index_codecs"][1]]},
    "parts within parts": lambda cut: cut | {"codecs": [{"name": "sharding_indexed", "configuration": cut}]},
    "parts without a checksum": lambda cut: cut | {"codecs": cut["codecs"][:2]},
}


def _big_endian(cut):
    return cut["index_codecs"][0] | {"configuration": {"endian": "big"}}


@pytest.mark.parametrize("change", CUTS)
def test_parts_that_purigeom_never_cuts_are_refused(cut, change):
    array = shard(cut).parent

    def changed(header):
        (codec,) = header["codecs"]
        return header | {"codecs": [codec | {"configuration": CUTS[change](codec["configuration"])}]}

    resealed(array, changed)
    assert [finding.path for finding in harmful(cut)] == [array]
    with pytest.raises(ValueError, match="is damaged: its header"):
        store.load(cut)


ENTRIES = {
    "a part that is not there": lambda entries, size: entries * [[1, 0], [1, 1], [1, 1], [1, 1]],
    "a part behind the end": lambda entries, size: np.add(entries, [[0, 0], [0, 0], [0, 0], [size, 0]]),
    "a part that ends behind the end": lambda entries, size: np.add(entries, [[0, 0], [0, 0], [0, 0], [0, 90]]),
    "a part of everything": lambda entries, size: np.add(entries * [1, 0], [0, 2**40]),
    "parts where no file is": lambda entries, size: np.add(entries * [0, 1], [2**63, 0]),
    "parts that begin before nought": lambda entries, size: np.add(entries * [0, 1], [2**64 - 4096, 0]),
    "no part at all": lambda entries, size: np.add(entries * 0, 2**64 - 1),
    "a part missing among others": lambda entries, size: np.where([[0], [1], [0], [0]], 2**64 - 1, entries),
}


@pytest.mark.parametrize("claim", ENTRIES)
def test_an_index_that_claims_what_no_file_has_is_refused(cut, claim):
    entries, parts = index(read(shard(cut)))
    said = ENTRIES[claim](entries.astype(object), len(parts))
    put(shard(cut), indexed(parts, said))
    assert [finding.path for finding in harmful(cut)] == [shard(cut)]
    for images in (slice(None), slice(6, 8)):
        with pytest.raises(ValueError, match=r"index|checksum") as told:
            store.load(cut).l2_distance.isel(purifier=1, image=images).load()
        assert str(shard(cut)) in str(told.value)


def test_a_part_that_would_fill_memory_is_refused_before_it_does(cut):
    bomb = compress(bytes(1 << 24), 3)
    bomb += shards.crc32c(bomb).to_bytes(4, "little")
    put(shard(cut), indexed(4 * bomb, [(place * len(bomb), len(bomb)) for place in range(4)]))
    assert [finding.path for finding in harmful(cut)] == [shard(cut)]
    for images in (slice(None), 0):
        with pytest.raises(ValueError, match="would become 16777216"):
            store.load(cut).l2_distance.isel(purifier=1, image=images).load()


def test_a_file_of_parts_that_holds_more_than_these_is_damaged(cut):
    put(shard(cut), read(shard(cut)) * 2)
    assert [finding.path for finding in harmful(cut)] == [shard(cut)]
