"""Claims about lazy reading: the same answers, read when they are asked for, in memory that does not grow with them."""

import sys

import numpy as np
import pytest
import xarray as xr

from benchmarks.figure import in_fresh_process
from benchmarks.large_store import fill, summary_peak
from purigeom import store
from purigeom.means import estimates
from purigeom.measurements.compression import Compression
from purigeom.store.places import put, read, remove
from purigeom.store.segment import SEAL
from purigeom.sweep import run
from tests.store.test_repair import flipped, segment_of
from tests.toys import toy_tasks


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # Dask's mean of no number at all
def test_lazy_answers_are_the_same_answers(tmp_path):
    """Two questions, the first in two segments, of which one has an unfinished row, the second not about everyone."""
    for count in (2, 4):
        run(toy_tasks(count), tmp_path, quiet=True)
    run(toy_tasks(3, measurement=Compression((0.1, 0.2), probes=2)), tmp_path, quiet=True)
    first = store.progress_of(tmp_path)[0].segment
    remove(first / SEAL / "c.1.2")
    lazy, eager = store.load(tmp_path, lazy=True), store.load(tmp_path).load()
    assert eager.purifier.size == 4
    assert all(variable.chunks for variable in lazy.data_vars.values())
    xr.testing.assert_identical(lazy.compute(), eager)
    xr.testing.assert_allclose(estimates(lazy).compute(), estimates(eager), rtol=1e-12)


def test_nothing_is_read_before_it_is_asked_for(full):
    chunk = segment_of(full) / "l2_distance" / "c.1.0.0"
    put(chunk, flipped(read(chunk)))
    facts = store.load(full, lazy=True).l2_distance
    with pytest.raises(ValueError, match="checksum") as told:
        facts.compute()
    assert str(chunk) in str(told.value)


def test_a_store_in_a_bucket_is_read_lazily_too(bucket, undisturbed):
    root = run(toy_tasks(), bucket / "study", quiet=True)
    xr.testing.assert_identical(store.load(root, lazy=True).compute(), undisturbed)


def test_without_dask_one_is_told_what_to_install(full, monkeypatch):
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'purigeom\[dask\]'"):
        store.load(full, lazy=True)
    assert store.load(full).l2_distance.notnull().all()


def peak(root, lazy):
    """Return the peak memory of a summary, one chunk after another so that no number of cores matters."""
    import dask

    with dask.config.set(scheduler="synchronous"):
        return summary_peak(root, lazy=lazy)


def test_ten_million_facts_are_summarised_in_less_memory_than_they_take(tmp_path, monkeypatch):
    monkeypatch.setattr("purigeom.tasks.IMAGES_PER_UNIT", 128)
    facts = fill(tmp_path, purifiers=40, blocks=10)
    assert facts > 10_000_000
    weight = facts * np.dtype(np.float32).itemsize
    lazily, at_once = (in_fresh_process(peak, tmp_path, lazy) for lazy in (True, False))
    assert lazily < weight < at_once
