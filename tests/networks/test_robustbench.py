"""Claims about classifiers of the RobustBench model zoo."""

import os
import sys
import textwrap
from importlib import invalidate_caches
from pickle import UnpicklingError

import pytest
import torch

from purigeom.identity import recipe
from purigeom.networks import robustbench
from purigeom.networks.robustbench import RobustBench

IMAGES = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
VARIABLE = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
ZOO = """
    from pathlib import Path

    import torch

    def load_model(model_name, model_dir, dataset, threat_model):
        print(model_name, model_dir, dataset, threat_model)
        if Path(model_name).is_file():
            torch.load(model_name, weights_only=False)
        torch.manual_seed(len(model_name))
        return torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Flatten(), torch.nn.Linear(48, 10))
"""


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """Put a package of the zoo's name where it is found, with the one function that is used of it."""
    package = tmp_path / "robustbench"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "utils.py").write_text(textwrap.dedent(ZOO))
    _released(tmp_path, "1.1")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("robustbench", "robustbench.utils"):
        sys.modules.pop(name, None)


def _released(folder, version):
    """Say of the package in a folder which version it is."""
    info = folder / "robustbench.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: robustbench\nVersion: {version}\n")
    invalidate_caches()


class Trap:
    def __reduce__(self):
        return pytest.fail, ("pickled code ran",)


@pytest.mark.parametrize("before", [None, "0"])
def test_code_in_what_the_package_downloads_is_not_run_whatever_it_asks_of_torch(zoo, tmp_path, monkeypatch, before):
    monkeypatch.delenv(VARIABLE, raising=False)
    if before is not None:
        monkeypatch.setenv(VARIABLE, before)
    torch.save(Trap(), tmp_path / "trap.pt")
    with pytest.raises(UnpicklingError, match="Weights only load failed"):
        RobustBench(str(tmp_path / "trap.pt")).load()(IMAGES)
    assert os.environ.get(VARIABLE) == before
    RobustBench("Standard", threat="corruptions").load()(IMAGES)
    assert os.environ.get(VARIABLE) == before


def test_the_package_s_version_is_part_of_the_key(zoo, tmp_path):
    one = RobustBench("Versioned2026").content()
    assert one.endswith(" robustbench 1.1")
    _released(tmp_path, "1.2")
    robustbench._content.cache_clear()  # as in another process
    other = RobustBench("Versioned2026").content()
    assert other == one.replace("1.1", "1.2")


def test_without_the_package_it_is_said_how_to_go_on():
    with pytest.raises(ImportError, match=r"RobustBench\(id='Missing'.*Install it.*FileClassifier\('Missing\.pt'"):
        RobustBench("Missing").load()


def test_an_id_is_loaded_by_the_package_ready_to_be_measured(zoo, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("PURIGEOM_MODELS", str(tmp_path / "models"))
    classifier = RobustBench("Standard", threat="L2")
    logits = classifier.load()
    assert capsys.readouterr().out == f"Standard {tmp_path}/models/robustbench cifar10 L2\n"
    assert torch.equal(logits(IMAGES), logits(IMAGES)), "nothing is dropped"
    assert logits(IMAGES.double()).dtype == torch.float64
    assert not logits(IMAGES).requires_grad


def test_the_weights_are_part_of_the_key(zoo):
    one, other = (recipe(RobustBench(name))["content"]["RobustBench"] for name in ("Carmon2019", "Rice2020Over"))
    assert one != other


def test_a_threat_that_the_zoo_has_not_is_refused():
    with pytest.raises(ValueError, match=r"threat must be one of \('Linf', 'L2', 'corruptions'\); got 'linf'"):
        RobustBench("Standard", threat="linf")
