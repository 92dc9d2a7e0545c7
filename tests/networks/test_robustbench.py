"""Claims about classifiers of the RobustBench model zoo."""

import sys
import textwrap

import pytest
import torch

from purigeom.identity import recipe
from purigeom.networks.robustbench import RobustBench

IMAGES = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
ZOO = """
    import torch

    def load_model(model_name, model_dir, dataset, threat_model):
        print(model_name, model_dir, dataset, threat_model)
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
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("robustbench", "robustbench.utils"):
        sys.modules.pop(name, None)


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
