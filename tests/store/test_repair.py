"""Claims about `purigeom check --repair`: what is broken is dropped, and no more; the next run answers it again."""

import json
import shutil
from dataclasses import replace

import pytest
import xarray as xr

from purigeom import store
from purigeom.schema import SCHEMA_VERSION
from purigeom.store import verification
from purigeom.store.places import put, read, remove
from purigeom.store.segment import SEAL, create
from purigeom.sweep import run
from tests.store.contents import contents, facts
from tests.toys import Moved, toy_tasks

FILES = [
    "l2_distance/c.1.0.2",
    "l2_distance/zarr.json",
    "draw/c.0",
    "draw/zarr.json",
    f"{SEAL}/c.1.2",
    f"{SEAL}/zarr.json",
    "purifier/c.0",
    "purifier/zarr.json",
    "image/c.0",
    "image/zarr.json",
]


def flipped(content):
    return content[:-5] + bytes([content[-5] ^ 1]) + content[-4:]


HARM = {
    "flipped": lambda file: put(file, flipped(read(file))),
    "cut": lambda file: put(file, read(file)[:-7]),
    "empty": lambda file: put(file, b""),
    "lost": remove,
}


def segment_of(root):
    (segment,) = store.presence.segments(root)
    return segment


def harmful(root):
    return [finding for finding in store.verify(root) if not finding.harmless]


@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("file", FILES)
def test_whatever_file_is_harmed_the_next_run_makes_it_good(full, file, harm):
    expected, harmed = facts(full), segment_of(full) / file
    HARM[harm](harmed)
    found = [finding.path for finding in store.repair(full) if not finding.harmless]
    assert found in ([harmed], [harmed.parent]) or (file, harm, found) == (f"{SEAL}/c.1.2", "lost", [])
    assert facts(run(toy_tasks(), full, quiet=True)) == expected
    assert store.verify(full) == []


@pytest.mark.parametrize("file", ["l2_distance/c.1.0.2", "draw/c.0", f"{SEAL}/c.1.2"])
def test_what_was_harmed_is_found_and_made_good_wherever_the_store_lies(copied, full, file):
    harmed = segment_of(copied) / file
    HARM["flipped"](harmed)
    assert [finding.path for finding in store.verify(copied)] == [harmed]
    store.repair(copied)
    assert facts(run(toy_tasks(), copied, quiet=True)) == facts(full)
    assert store.verify(copied) == []


def test_only_units_that_are_broken_are_answered_again(full, tmp_path):
    (tmp_path / "diary").mkdir()
    for file in ("l2_distance/c.1.0.2", "l2_distance/c.2.0.0", f"{SEAL}/c.2.0"):
        HARM["flipped"](segment_of(full) / file)
    assert len(store.repair(full)) == 3
    run(toy_tasks(measurement=Moved(diary=tmp_path / "diary")), full, quiet=True)
    assert len(list((tmp_path / "diary").iterdir())) == 2


@pytest.mark.parametrize("file", ["draw/c.0", "draw/zarr.json", "l2_distance/zarr.json"])
def test_until_then_a_repaired_array_is_not_read_as_if_it_were_whole(full, file):
    HARM["flipped"](segment_of(full) / file)
    store.repair(full)
    with pytest.raises(ValueError, match=r"is damaged: it.* is missing.*the next run answers it again"):
        store.load(full)


def test_a_whole_store_is_left_as_it_is(copied):
    before = contents(copied)
    assert store.repair(copied) == []
    assert contents(copied) == before


def test_a_seal_goes_before_what_it_vouches_for(full, monkeypatch):
    """A repair that is killed half way leaves a unit that is not answered, never one that is sealed and broken."""
    HARM["flipped"](segment_of(full) / "l2_distance" / "c.1.0.2")

    class Killed(BaseException):
        pass

    def once(thing):
        remove(thing)
        raise Killed

    monkeypatch.setattr(verification, "remove", once)
    with pytest.raises(Killed):
        store.repair(full)
    assert harmful(full) == []
    assert store.load(full).purifier.values.tolist() == ["scale 0", "scale 2"]


def test_what_stopped_writers_left_is_harmless_and_goes_but_for_chunks_that_are_overwritten(copied, undisturbed):
    segment = segment_of(copied)
    put(copied / "begun-0123.zarr" / "purifier" / "c.0", b"")
    put(segment / "l2_distance" / ".c.0.0.0.0123.partial", b"")
    put(segment / ".zarr.json.0123.partial", b"")
    put(copied / ".older.zarr.0123.partial" / "zarr.json", b"")
    remove(segment / SEAL / "c.1.2")
    assert harmful(copied) == []
    assert len(store.repair(copied)) == 5
    (left,) = store.verify(copied)
    assert left.path == segment / "l2_distance"
    assert "1 chunks of units that were stopped" in left.problem
    run(toy_tasks(), copied, quiet=True)
    assert store.verify(copied) == []
    xr.testing.assert_identical(store.load(copied).load(), undisturbed)


@pytest.mark.parametrize("harm", HARM)
def test_a_segment_whose_header_is_harmed_is_left_with_all_its_answers(full, harm):
    segment = segment_of(full)
    good = read(segment / "zarr.json")
    HARM[harm](segment / "zarr.json")
    before = contents(full)
    (finding,) = store.repair(full)
    assert finding.path == segment
    assert contents(full) == before
    with pytest.raises(ValueError, match=f"{segment.name}"):
        store.load(full)
    put(segment / "zarr.json", good)
    assert store.verify(full) == []


def test_a_segment_of_another_schema_is_never_touched(full):
    (progress,) = store.progress_of(full)
    shutil.rmtree(progress.segment)
    other = create(full, replace(progress.plan, schema=SCHEMA_VERSION + 1))
    put(other / "l2_distance" / "c.0.0.0", b"broken in its own way")
    before = contents(full)
    (finding,) = store.repair(full)
    assert f"follows store schema {SCHEMA_VERSION + 1}" in finding.problem
    assert contents(full) == before


def test_a_segment_of_the_future_is_never_touched(full):
    segment = segment_of(full)
    header = json.loads(read(segment / "zarr.json"))
    header["attributes"]["purigeom"] = {"label": "distances", "schema": SCHEMA_VERSION + 5}
    put(segment / "zarr.json", json.dumps(header).encode())
    HARM["flipped"](segment / "l2_distance" / "c.1.0.2")
    before = contents(full)
    assert [finding.path for finding in store.repair(full)] == [segment]
    assert contents(full) == before
