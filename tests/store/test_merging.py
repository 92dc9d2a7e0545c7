"""Claims about merging the stores of several sites: all answers of all, by bytes, or a refusal that writes nothing."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from purigeom import store, tasks
from purigeom.measurements.compression import Compression
from purigeom.store.places import put, read, remove
from purigeom.store.segment import SEAL, write
from purigeom.sweep import run
from purigeom.tasks import plan_units
from tests.store.contents import contents, facts
from tests.store.test_repair import flipped, segment_of
from tests.toys import Moved, Scale, ToyImages, toy_tasks


def some(*places, **changes):
    """Return the tasks of some of four purifiers."""
    return [replace(toy_tasks(4)[place], **changes) for place in places]


def unseal(root, *units):
    """Drop the seals and chunks of some units, as if they had never been answered."""
    for row, block in units:
        remove(segment_of(root) / SEAL / f"c.{row}.{block}")
        remove(segment_of(root) / "l2_distance" / f"c.{row}.0.{block}")


def harmful(root):
    return [finding for finding in store.verify(root) if not finding.harmless]


def ordered(root):
    return store.load(root).load().sortby("purifier")


@pytest.fixture
def at_once(tmp_path):
    return ordered(run(some(0, 1, 2, 3), tmp_path / "at once", quiet=True))


@pytest.mark.parametrize(
    "sites", [[(0, 1), (2, 3)], [(0, 1, 2), (2, 3)], [(3,), (0,), (2, 1)], [(0, 1, 2, 3), (1,)]], ids=str
)
def test_purifiers_of_several_sites_come_together(tmp_path, at_once, sites):
    roots = [run(some(*site), tmp_path / f"site {place}", quiet=True) for place, site in enumerate(sites)]
    merged = store.merge(tmp_path / "merged", *roots)
    xr.testing.assert_identical(ordered(merged), at_once)
    assert harmful(merged) == []
    assert plan_units(some(0, 1, 2, 3), merged, "cpu") == []
    xr.testing.assert_identical(ordered(store.merge(roots[0], *roots[1:])), at_once)


def test_one_study_that_two_sites_share_becomes_the_store_of_one(full, tmp_path):
    """Both were started with the same tasks; each has answered some units, one of them both."""
    here, there = (run(toy_tasks(), tmp_path / name, quiet=True) for name in ("here", "there"))
    unseal(here, (0, 0), (1, 1), (2, 2))
    unseal(there, (0, 1), (1, 0), (2, 1))
    assert facts(store.merge(here, there)) == facts(full)


def test_halves_of_a_row_in_different_segments_become_one_row(tmp_path, at_once):
    """Sites that were asked about different purifiers, one of which both have begun."""
    here, there = (
        run(some(*site), tmp_path / str(place), quiet=True) for place, site in enumerate([(0, 1, 2), (2, 3)])
    )
    unseal(here, (2, 0))
    unseal(there, (0, 1), (0, 2))
    assert store.load(here).purifier.values.tolist() == ["scale 0", "scale 1"]
    xr.testing.assert_identical(ordered(store.merge(here, there)), at_once)
    assert plan_units(some(0, 1, 2, 3), here, "cpu") == []


def test_stores_of_different_questions_come_together(tmp_path):
    asked = [Compression((0.1, 0.2), probes=2), Moved()]
    roots = [run(some(0, 1, measurement=ask), tmp_path / ask.label, quiet=True) for ask in asked]
    both = [task for ask in asked for task in some(0, 1, measurement=ask)]
    expected = store.load(run(both, tmp_path / "both", quiet=True)).load()
    xr.testing.assert_identical(store.load(store.merge(tmp_path / "merged", *roots)).load(), expected)


def test_a_store_moves_from_a_folder_to_a_bucket_and_back(full, bucket, tmp_path):
    there = store.merge(bucket / "study", full)
    assert facts(there) == facts(full)
    assert contents(store.merge(tmp_path / "back", there)) == contents(full)


def test_merging_again_changes_nothing(full, tmp_path):
    merged = store.merge(tmp_path / "merged", full)
    before = sorted((path, path.stat().st_mtime_ns) for path in merged.rglob("*"))
    store.merge(merged, full, full, merged)
    assert sorted((path, path.stat().st_mtime_ns) for path in merged.rglob("*")) == before


REFUSED = {
    "another question": (some(0, seed=1), "answer different 'distances' questions.*: seed 0 against 1"),
    "other images": (some(3, images=ToyImages(first=0)), "answer different 'distances' questions"),
    "another purifier": (some(0, purifier=Scale(0.7)), "hold different purifiers named 'scale 0'"),
    "another purifier, elsewhere": (
        some(0, purifier=Scale(0.7), measurement=Compression((0.1,))),
        "hold different purifiers named 'scale 0'",
    ),
}


@pytest.mark.parametrize(("asked", "message"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("new", [True, False], ids=["into a new store", "into the first"])
def test_contradictions_are_refused_before_anything_is_written(full, tmp_path, asked, message, new):
    fine, other = (run(one, tmp_path / name, quiet=True) for name, one in (("fine", some(3)), ("other", asked)))
    before = contents(full)
    with pytest.raises(ValueError, match=message):
        store.merge(*([tmp_path / "new"] if new else []), full, fine, other)
    assert contents(full) == before
    assert not (tmp_path / "new").exists()


def told(root, values, made_by="me"):
    """Write what one unit is said to measure."""
    (unit, *_) = plan_units(some(0, images=ToyImages(count=2)), root, "cpu") or [None]
    bits = np.array([values], np.uint32).view(np.float32)
    write(unit.segment, 0, 0, xr.Dataset({"l2_distance": (("draw", "image"), bits)}), {"by": made_by})
    return root


ONE, MINUS_ZERO, NAN, OTHER_NAN = 0x3F800000, 0x80000000, 0x7FC00000, 0xFFC00001


@pytest.mark.parametrize(("first", "second"), [([ONE, 0], [ONE + 1, 0]), ([ONE, 0], [ONE, MINUS_ZERO])])
def test_one_bit_of_difference_is_a_conflict_that_names_the_unit(tmp_path, first, second):
    here, there = told(tmp_path / "here", first), told(tmp_path / "there", second)
    message = r"differ in 'l2_distance' of 'scale 0', block 0 of images.*Delete the seal .*made_by/c.0.0"
    with pytest.raises(ValueError, match=message):
        store.merge(here, there)
    with pytest.raises(ValueError, match=message):
        store.merge(tmp_path / "new", here, there)
    assert not (tmp_path / "new").exists()
    remove(segment_of(there) / SEAL / "c.0.0")
    assert store.load(store.merge(here, there)).sizes["purifier"] == 1


def test_nan_is_nan_and_who_measured_does_not_matter(tmp_path):
    here, there = told(tmp_path / "here", [ONE, NAN]), told(tmp_path / "there", [ONE, OTHER_NAN], "you")
    before = contents(here)
    assert contents(store.merge(here, there)) == before


def test_units_of_another_size_are_not_mixed(full, tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "IMAGES_PER_UNIT", 3)
    other = run(some(0), tmp_path / "other", quiet=True)
    with pytest.raises(ValueError, match="store its images in different ways"):
        store.merge(full, other)
    xr.testing.assert_identical(
        ordered(store.merge(full, run(some(3), tmp_path / "more", quiet=True))),
        ordered(tmp_path / "full"),
    )


def test_labels_that_differ_are_not_mixed(full, tmp_path):
    (unit,) = plan_units(some(0, images=ToyImages()), tmp_path, "cpu")[:1]
    answer = xr.Dataset(
        {"l2_distance": (("draw", "image"), np.ones((1, 2), np.float32))}, {"draw": [7], "image": [100, 101]}
    )
    write(unit.segment, 0, 0, answer, {})
    with pytest.raises(ValueError, match="store draw in different ways"):
        store.merge(full, tmp_path)


def test_damage_does_not_spread(full, tmp_path):
    chunk = segment_of(full) / "l2_distance" / "c.1.0.2"
    put(chunk, flipped(read(chunk)))
    with pytest.raises(ValueError, match=r"before it is whole: .*c\.1\.0\.2: it cannot be read"):
        store.merge(tmp_path / "merged", full)
    assert not (tmp_path / "merged").exists()
    store.repair(full)
    assert len(store.progress_of(store.merge(tmp_path / "merged", full))[0].done) == 8


def test_what_is_no_store_is_no_source(full, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere holds no segment"):
        store.merge(full, tmp_path / "nowhere")


def test_a_merge_that_was_stopped_anywhere_can_be_run_again(full, tmp_path, monkeypatch):
    class Stopped(BaseException):
        pass

    here = run(some(0, 3), tmp_path / "site", quiet=True)
    expected = facts(store.merge(tmp_path / "expected", here, full))
    for last in itertools.count(step=4):
        puts, there = itertools.count(), tmp_path / f"merged {last}"

        def counted(file, content, puts=puts, last=last):
            if next(puts) >= last:
                raise Stopped
            put(file, content)

        with monkeypatch.context() as patched:
            for module in (store.merging, store.arrays):
                patched.setattr(module, "put", counted)
            try:
                store.merge(there, here, full)
            except Stopped:
                pass
            else:
                break
        assert not store.presence.segments(there) or harmful(there) == []
        assert facts(store.merge(there, here, full)) == expected
    assert last > 20
