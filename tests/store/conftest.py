"""What the tests of the store share: small units, so that small runs have many of them."""

import shutil
from pathlib import Path

import pytest
import xarray as xr

from purigeom import store, tasks
from purigeom.store import Place
from purigeom.sweep import run
from tests.processes import IMAGES_PER_UNIT
from tests.store.contents import contents
from tests.toys import toy_tasks


@pytest.fixture(autouse=True)
def small_units(monkeypatch):
    monkeypatch.setattr(tasks, "IMAGES_PER_UNIT", IMAGES_PER_UNIT)


@pytest.fixture
def full(tmp_path: Path, small_units) -> Path:
    """Return a finished store of three purifiers and three blocks of images."""
    return run(toy_tasks(), tmp_path / "full", quiet=True)


@pytest.fixture
def undisturbed(full: Path) -> xr.Dataset:
    """Return what that store holds."""
    return store.load(full).load()


@pytest.fixture(params=["folder", "bucket"])
def copied(request: pytest.FixtureRequest, full: Path, tmp_path: Path) -> Place:
    """Return a copy of the finished store, on disk and in a bucket."""
    if request.param == "folder":
        return Path(shutil.copytree(full, tmp_path / "copied"))
    root: Place = store.place(request.getfixturevalue("bucket") / "copied")
    for name, content in contents(full).items():
        store.places.put(root / name, content)
    return root
