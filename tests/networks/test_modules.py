"""Claims about how a description becomes a module."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from purigeom.networks.modules import loaded, logits

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Linear:
    """A network by a name under which its weights may change."""

    name: str

    def content(self) -> str:
        return WEIGHTS[self.name]


class Other(Linear):
    pass


WEIGHTS: dict[str, str] = {}


@pytest.fixture
def made():
    WEIGHTS.update(one="one")
    return []


@pytest.fixture
def load(made):
    def linear(who):
        made.append(who)
        return nn.Sequential(nn.Linear(2, 2), nn.Dropout())

    return linear


def test_a_module_is_made_once_for_what_it_is_and_where_it_is_used(load, made):
    one = Linear("one")
    first = loaded(load, one, "one", CPU, torch.float32)
    assert loaded(load, Linear("one"), "one", CPU, torch.float32) is first
    assert made == [one]
    assert loaded(load, one, "one", CPU, torch.float64)[0].weight.dtype == torch.float64
    assert loaded(load, one, "two", CPU, torch.float32) is not first, "new weights under an old name"
    assert loaded(load, Other("one"), "one", CPU, torch.float32) is not first, "another kind under the same name"


def test_a_module_comes_ready_to_be_measured(load, made):
    module = loaded(load, Linear("one"), "one", CPU, torch.float32)
    assert not module.training
    assert not any(parameter.requires_grad for parameter in module.parameters())


def test_a_classifier_keeps_the_weights_it_was_loaded_with(load, made):
    images = torch.ones(1, 2)
    before = logits(load, Linear("one"))
    answer = before(images)
    WEIGHTS.update(one="two")
    after = logits(load, Linear("one"))
    assert torch.equal(before(images), answer)
    assert not torch.equal(after(images), answer)
    assert len(made) == 2
