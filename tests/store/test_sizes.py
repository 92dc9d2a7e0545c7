"""Claims about sizes: small answers are one chunk, large ones a file of parts; both are read, checked and healed."""

import json
import shutil

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as some

from purigeom import store, tasks
from purigeom.store import bounded, limits, shards, verification
from purigeom.store.places import put, read, remove
from purigeom.store.segment import SEAL, write
from purigeom.store.shards import parts_of
from purigeom.sweep import run
from purigeom.tasks import plan_units
from tests.store.contents import facts
from tests.store.test_reading import flips, loaded
from tests.store.test_repair import harmful, segment_of
from tests.toys import Moved, ToyImages, toy_tasks

IMAGES_PER_UNIT, DRAWS = 8, 20
PART_BYTES = 2 * DRAWS * 4
"""Two images of float32 draws: a unit has four such parts, and the last one, of three images, two."""
ASKED = toy_tasks(2, ToyImages(count=19), Moved(draws=DRAWS))


@pytest.fixture(autouse=True)
def larger_units(small_units, monkeypatch):
    monkeypatch.setattr(tasks, "IMAGES_PER_UNIT", IMAGES_PER_UNIT)


@pytest.fixture
def expected(tmp_path):
    """Return the answers as a store of small ones holds them."""
    return store.load(run(ASKED, tmp_path / "small", quiet=True)).load()


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(shards, "PART_BYTES", PART_BYTES)


@pytest.fixture
def cut(expected, small_parts, tmp_path):
    """Return a store of the same answers in shards of small parts."""
    return run(ASKED, tmp_path / "cut", quiet=True)


def header(root):
    return json.loads(read(segment_of(root) / "l2_distance" / "zarr.json"))


def shard(root, name="c.1.0.0"):
    return segment_of(root) / "l2_distance" / name


def test_a_small_answer_is_one_chunk_as_it_was_before_there_were_parts(full):
    found = header(full)
    assert found["chunk_grid"]["configuration"]["chunk_shape"] == [1, 1, IMAGES_PER_UNIT]
    assert [codec["name"] for codec in found["codecs"]] == ["bytes", "zstd", "crc32c"]


def test_a_large_answer_is_one_file_of_parts(cut, expected):
    found = header(cut)
    (codec,) = found["codecs"]
    assert found["chunk_grid"]["configuration"]["chunk_shape"] == [1, DRAWS, IMAGES_PER_UNIT]
    assert codec["configuration"]["chunk_shape"] == [1, DRAWS, 2]
    assert [one["name"] for one in codec["configuration"]["codecs"]] == ["bytes", "zstd", "crc32c"]
    assert sum(name.startswith("c.") for name in store.places.files(shard(cut).parent)) == 2 * 3
    xr.testing.assert_identical(store.load(cut).load(), expected)
    assert store.verify(cut) == []


@given(some.integers(1, 200), some.integers(1, 10**5), some.sampled_from([1, 2, 4, 8]))
def test_parts_divide_the_images_of_a_unit_and_are_small_or_of_one_image(images, numbers, item_bytes):
    chunk = (1, numbers, images)
    parts = parts_of(("purifier", "probe", "image"), chunk, item_bytes)
    if parts is None:
        assert images * numbers * item_bytes <= shards.PART_BYTES
    else:
        assert images % parts[2] == 0
        assert parts[:2] == chunk[:2]
        assert parts[2] == 1 or np.prod(parts) * item_bytes <= shards.PART_BYTES


def test_plain_xarray_opens_parts(cut, expected):
    plain = xr.open_zarr(segment_of(cut), consolidated=False)
    np.testing.assert_array_equal(plain.l2_distance, expected.l2_distance)


def test_one_image_of_a_large_answer_costs_its_part_and_an_index(cut, expected, monkeypatch):
    chosen = store.load(cut).l2_distance.isel(purifier=[1], image=[9])
    whole, asked = len(read(shard(cut, "c.1.0.1"))), []
    refuse = bounded.refuse
    monkeypatch.setattr(bounded, "refuse", lambda *served: asked.append(len(served[1])) or refuse(*served))
    np.testing.assert_array_equal(chosen, expected.l2_distance.isel(purifier=[1], image=[9]))
    assert len(asked) == 2
    assert sum(asked) < whole / 2


def test_dask_takes_whole_parts_however_large_they_are(cut, expected, monkeypatch):
    monkeypatch.setattr("purigeom.store.reading.LAZY_BYTES", 1)
    lazy = store.load(cut, lazy=True)
    assert set(lazy.l2_distance.chunksizes["draw"]) == {DRAWS}
    xr.testing.assert_identical(lazy.compute(), expected)


def test_two_drivers_lay_out_the_same_whichever_unit_they_answer_first(small_parts, tmp_path):
    for name, order in (("here", 1), ("there", -1)):
        for unit in plan_units(ASKED, tmp_path / name, "cpu")[::order]:
            batch = unit.task.images.load()
            ids = list(batch.image_ids[unit.places])
            answer = np.full((DRAWS, len(ids)), unit.block + unit.row, np.float32)
            labels = {"draw": range(DRAWS), "image": ids}
            write(unit.segment, unit.row, unit.block, xr.Dataset({"l2_distance": (tuple(labels), answer)}, labels), {})
    assert facts(tmp_path / "here") == facts(tmp_path / "there")


@pytest.mark.parametrize("name", ["c.1.0.0", "c.0.0.2"])
def test_a_flipped_byte_anywhere_in_a_file_of_parts_is_found_and_named(cut, name):
    path = shard(cut, name)
    content = read(path)
    for place in range(0, len(content), 13):
        put(path, content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert [finding.path for finding in harmful(cut)] == [path], place
        with pytest.raises(ValueError, match="is damaged") as told:
            store.load(cut).load()
        assert str(path) in str(told.value), place


def test_a_file_of_parts_that_was_cut_off_is_found(cut):
    path = shard(cut)
    content = read(path)
    for length in (0, 3, 16 * 4 + 4, len(content) // 2, len(content) - 1):
        put(path, content[:length])
        assert [finding.path for finding in harmful(cut)] == [path], length
        assert loaded(cut) is None
        with pytest.raises(ValueError, match="is damaged"):
            store.load(cut).l2_distance.isel(purifier=1, image=0).load()


def test_the_damage_of_a_number_is_told_with_its_file_and_what_to_do(full):
    (path,) = full.glob("*.zarr/l2_distance/c.1.0.0")
    found = store.load(full).l2_distance
    for _ in flips(path, 1):
        with pytest.raises(ValueError, match=r"checksum.*purigeom check --repair") as told:
            found.load()
        assert str(path) in str(told.value)


def test_what_is_broken_in_parts_is_dropped_and_answered_again(cut):
    before = facts(cut)
    put(shard(cut), read(shard(cut))[:-9])
    assert [finding.path for finding in store.repair(cut) if finding.cured] == [shard(cut)]
    assert len(plan_units(ASKED, cut, "cpu")) == 1
    run(ASKED, cut, quiet=True)
    assert facts(cut) == before


def test_parts_of_two_sites_come_together(cut, tmp_path, small_parts, expected):
    here, there = (shutil.copytree(cut, tmp_path / name) for name in ("here", "there"))
    for root, block in ((here, 0), (there, 2)):
        remove(segment_of(root) / SEAL / f"c.1.{block}")
        remove(shard(root, f"c.1.0.{block}"))
    merged = store.merge(tmp_path / "merged", here, there)
    xr.testing.assert_identical(store.load(merged).load(), expected)
    assert facts(merged) == facts(cut)


def test_parts_that_say_different_things_will_not_be_merged(cut, tmp_path):
    other = shutil.copytree(cut, tmp_path / "other")
    put(shard(other), read(shard(other, "c.0.0.0")))
    with pytest.raises(ValueError, match="differ in 'l2_distance'"):
        store.merge(cut, other)


def test_a_store_whose_answers_became_large_will_not_be_merged_with_an_older_one(cut, tmp_path):
    with pytest.raises(ValueError, match="in different ways"):
        store.merge(tmp_path / "small", cut)


def test_parts_in_a_bucket_are_read_alone(bucket, small_parts, server, expected):
    root = run(ASKED, bucket / "study", quiet=True)
    found = store.load(root)
    server.asked.clear()
    np.testing.assert_array_equal(
        found.l2_distance.isel(purifier=0, image=18), expected.l2_distance.isel(purifier=0, image=18)
    )
    assert [path.rpartition("/")[2] for _, path in server.asked] == 2 * ["c.0.0.2"], "the index and one part"
    xr.testing.assert_identical(store.load(root).load(), expected)
    assert store.verify(root) == []
    put(shard(root), read(shard(root))[:-5])
    with pytest.raises(ValueError, match="is damaged"):
        store.load(root).load()


def test_a_unit_larger_than_what_is_ever_decoded_at_once_is_written_and_read(tmp_path, monkeypatch):
    """A unit of 16 kB, where a gigabyte is 4 kB."""
    asked = toy_tasks(2, ToyImages(count=19), Moved(draws=500))
    expected = store.load(run(asked, tmp_path / "small", quiet=True)).load()
    monkeypatch.setattr(shards, "PART_BYTES", 4000)
    for module in (limits, verification):
        monkeypatch.setattr(module, "CHUNK_BYTES", 4096)
    root = run(asked, tmp_path / "large", quiet=True)
    xr.testing.assert_identical(store.load(root).load(), expected)
    assert store.verify(root) == []
    put(shard(root), read(shard(root))[:-9])
    assert [finding.path for finding in harmful(root)] == [shard(root)]


def test_an_image_of_which_more_is_said_than_can_be_read_is_refused_before_it_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "CHUNK_BYTES", 512)
    monkeypatch.setattr(shards, "PART_BYTES", 256)
    unit = plan_units(ASKED, tmp_path, "cpu")[0]
    images = np.zeros((1, IMAGES_PER_UNIT, 3, 8, 8), np.float32)
    labels = {"draw": [0], "image": list(range(100, 108))}
    answer = xr.Dataset({"purified_image": (("draw", "image", "channel", "row", "column"), images)}, labels)
    with pytest.raises(ValueError, match=r"'purified_image' cannot be stored in .*more than 512 bytes"):
        write(unit.segment, unit.row, unit.block, answer, {})
    assert not (unit.segment / "purified_image").exists()
