"""Claims about purifiers that fail: each costs what it cannot answer, and is named with its recipe and the reason."""

import re

import pytest

from purigeom import store
from purigeom.executors import Processes
from purigeom.measurements.compression import Compression
from purigeom.sweep import Task, UnansweredError, run
from tests.faults.fates import FATED, FATES, Diverging, Fated
from tests.toys import ToyImages

IMAGES = ToyImages(count=8)
PURIFIERS = {**{fate: Fated(fate) for fate in FATES}, "one nan": Diverging(107), "all nan": Diverging(0)}
REASONS = {
    "raises": "ArithmeticError: this image is too much",
    "numpy": "MemoryError: Unable to allocate 16.0 GiB",
    "torch": "RuntimeError: .*can't allocate memory: you tried to allocate 17179869184 bytes",
    "device": "OutOfMemoryError: CUDA out of memory. Tried to allocate 16.00 GiB.",
    "killed": "its worker process was killed 2 times, perhaps for memory",
    "forbidden": "PermissionError: .*Permission denied: 'weights.pt'",
    "full": "OSError: .*No space left on device: 'cache'",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return a store in which everybody was asked by two workers, and what was said at the end."""
    root = tmp_path_factory.mktemp("study") / "store"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("purigeom.tasks.IMAGES_PER_UNIT", 2)
        asked = [Task(name, one, Compression((0.1,), probes=2), IMAGES) for name, one in PURIFIERS.items()]
        with pytest.raises(UnansweredError) as raised:
            run(asked, root, Processes(2, retries=1), quiet=True)
    return root, raised.value


def test_every_unit_but_those_that_failed_is_answered(study):
    root, _ = study
    (progress,) = store.progress_of(root)
    names = [row.purifier for row in progress.plan.rows]
    missing = {(names[row], block) for row in range(len(names)) for block in range(4)} - {
        (names[row], block) for row, block in progress.done
    }
    assert missing == {(name, 2) for name in REASONS} | {("all nan", block) for block in range(4)}
    assert [finding for finding in store.verify(root) if not finding.harmless] == []
    assert store.load(root).purifier.values.tolist() == ["none", "one nan"]


@pytest.mark.parametrize("fate", REASONS)
def test_whoever_failed_is_named_with_the_reason_and_the_recipe(study, fate):
    _, error = study
    (lost,) = [one for one in error.lost if one.unit.task.purifier_name == fate]
    assert lost.unit.places == slice(4, 6), f"where image {FATED} is"
    assert re.search(REASONS[fate], lost.why)
    assert f"  {fate}, compression, block 2: {lost.why}\n    Fated(fate='{fate}')" in str(error)


def test_images_of_which_a_purifier_makes_nan_are_set_aside_and_the_seal_tells(study):
    root, error = study
    ratios = store.load(root).compression_ratio.sel(purifier="one nan")
    assert ratios.sel(image=107).isnull().all()
    assert ratios.drop_sel(image=107).notnull().all()
    told = {made["block"]: made.get("broken") for made in store.provenance(root) if made["purifier"] == "one nan"}
    assert [told.pop(block) for block in range(3)] == [None] * 3
    assert "NaN or infinity for image 107." in told[3]["107"]
    lines = str(error).splitlines()
    (line,) = (line for line in lines if line.startswith("  all nan, compression, blocks 0, 1, 2 and 1 more: "))
    assert "Diverging(first=0) returned NaN or infinity" in line
