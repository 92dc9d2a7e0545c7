"""The claim that it does not matter where a study is made: its store is the same, bit for bit."""

import hashlib

import pytest
import xarray as xr

from purigeom import store, tasks
from purigeom.catalog import PURIFIERS
from purigeom.executors import Dask, Processes, Slurm, in_process
from purigeom.images import Digits
from purigeom.measurements.compression import Compression
from purigeom.sweep import Task, run

STUDY = [
    Task(name, PURIFIERS[name], Compression((0.2,), probes=2), Digits()[:6])
    for name in ("gaussian-noise", "digits-autoencoder")
]
ELSEWHERE = {
    "processes": lambda folder: Processes(2),
    "dask": lambda folder: Dask(workers=1),
    "slurm": lambda folder: Slurm(2, folder, cluster="local"),
}


def studied(root, executor):
    """Make the study in small units."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tasks, "IMAGES_PER_UNIT", 2)
        return run(STUDY, root, executor, quiet=True)


def files(root):
    """Return the digest of every file of a store but the seals, which tell when and how fast a unit was answered."""
    names = {path: str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for path, name in names.items() if "/made_by/c." not in name
    }


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    return studied(tmp_path_factory.mktemp("here"), in_process)


@pytest.mark.parametrize("where", ELSEWHERE)
def test_a_study_made_elsewhere_is_the_one_made_here(tmp_path, here, where):
    there = studied(tmp_path / "store", ELSEWHERE[where](tmp_path / "jobs"))
    assert files(there) == files(here)
    assert len(files(there)) > len(STUDY) * 3
    xr.testing.assert_identical(store.load(there).load(), store.load(here).load())
    told = [[made.get("derivatives") for made in store.provenance(root)] for root in (there, here)]
    assert told[0] == told[1]
