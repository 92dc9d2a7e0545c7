"""Claims about `purigeom check`: it finds every damage, and nothing in a store that is whole."""

import shutil

import pytest

from purigeom import store
from purigeom.store.segment import SEAL
from tests.store.test_reading import flips, loaded


def test_a_whole_store_has_no_problem(full):
    assert store.verify(full) == []


def test_a_flipped_byte_in_any_chunk_is_found_and_named(full):
    for path in sorted(full.glob("*.zarr/*/c.*")):
        for what in flips(path, 4):
            assert [finding.path for finding in store.verify(full)] == [path], what
    assert store.verify(full) == []


def test_a_flipped_byte_in_any_header_is_found_or_harmless(full, undisturbed):
    found = 0
    for path in sorted(full.glob("*.zarr/**/zarr.json")):
        for what in flips(path, 40):
            findings = store.verify(full)
            found += len(findings) > 0
            assert findings or loaded(full).identical(undisturbed), what
    assert found > 100


@pytest.mark.parametrize("lost", ["l2_distance/c.1.0.2", "draw/c.0", "l2_distance/zarr.json", "zarr.json"])
def test_a_lost_file_is_found(full, lost):
    (segment,) = full.glob("*.zarr")
    (segment / lost).unlink()
    (finding,) = store.verify(full)
    assert (segment / lost).is_relative_to(finding.path)


def test_a_lost_folder_of_seals_is_found(full):
    (segment,) = full.glob("*.zarr")
    shutil.rmtree(segment / SEAL)
    assert [finding.path for finding in store.verify(full) if not finding.harmless] == [segment / SEAL]


def test_a_truncated_chunk_is_found(full):
    (segment,) = full.glob("*.zarr")
    chunk = segment / "l2_distance" / "c.0.0.0"
    for length in (0, 3, chunk.stat().st_size - 1):
        chunk.write_bytes(chunk.read_bytes()[:length])
        assert [finding.path for finding in store.verify(full)] == [chunk]


def test_what_a_killed_run_left_over_is_found_and_said_to_be_harmless(full):
    (segment,) = full.glob("*.zarr")
    (full / ".distances-00.zarr.0123.partial").mkdir()
    (segment / "l2_distance" / "c.0.0.0123.partial").touch()
    findings = store.verify(full)
    assert len(findings) == 2
    assert all("can be deleted" in finding.problem for finding in findings)
    assert loaded(full) is not None


def test_the_unfinished_is_no_damage(full):
    (segment,) = full.glob("*.zarr")
    for name in (f"{SEAL}/c.1.2", "l2_distance/c.1.0.2"):
        (segment / name).unlink()
    assert store.verify(full) == []


def test_a_folder_without_a_store_is_no_good_news(tmp_path):
    (finding,) = store.verify(tmp_path)
    assert "holds no segment" in finding.problem
