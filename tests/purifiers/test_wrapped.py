"""Claims about strangers' modules and functions as purifiers."""

import pickle
from functools import partial

import pytest
import torch
from torch import nn

from purigeom.noise import Noise
from purigeom.protocols import RandomMap, declaration
from purigeom.purifiers.wrapped import wrap

NOISE = Noise(seed=0, image_ids=(3, 7))
IMAGES = torch.full((2, 1, 4, 4), 0.5)
SHAPE = (1, 4, 4)


def halved(images):
    return images / 2


def doubled(images):
    return images * 2


def shaken(images, noise):
    return images + noise


class Scaled(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, images):
        return self.scale * images


class Shaken(nn.Module):
    def forward(self, images, noise):
        return images + noise


class Hidden(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.register_buffer("value", torch.tensor(value), persistent=False)

    def forward(self, images):
        return self.value * images


def linear(seed=0):
    module = nn.Conv2d(1, 1, 3, padding=1).eval()
    values = Noise(seed, (0,)).normal_like(torch.empty(1, 9)).reshape(1, 1, 3, 3)
    module.load_state_dict({"weight": values, "bias": torch.zeros(1)})
    return module


def test_a_wrapped_function_does_what_it_did():
    wrapped = wrap(halved, name="halved")
    assert isinstance(wrapped, RandomMap)
    assert torch.equal(wrapped.pin(NOISE, SHAPE)(IMAGES), IMAGES / 2)


@pytest.mark.parametrize("function", [shaken, Shaken().eval(), lambda images, *, noise: images + noise])
def test_an_argument_called_noise_receives_a_normal_per_pixel(function):
    pinned = wrap(function, name="shaken").pin(NOISE, SHAPE)
    assert torch.equal(pinned(IMAGES), IMAGES + NOISE.normal_like(IMAGES))


def test_repr_is_the_identity_and_holds_no_address():
    first, second = wrap(linear(), name="mine"), wrap(linear(), name="mine")
    assert first == second
    assert hash(first) == hash(second)
    assert repr(first) == repr(second)
    assert " at 0x" not in repr(wrap(halved, name="halved"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (wrap(halved, name="map"), wrap(doubled, name="map")),
        (wrap(halved, name="map"), wrap(halved, name="other")),
        (wrap(linear(0)), wrap(linear(1))),
        (wrap(Scaled(1.0).eval()), wrap(Scaled(2.0).eval())),
        (wrap(Hidden(1.0).eval()), wrap(Hidden(2.0).eval())),
        (wrap(nn.Sequential(nn.ReLU()).eval()), wrap(nn.Sequential(nn.Tanh()).eval())),
        (wrap(linear()), wrap(linear().double())),
    ],
    ids=["source", "name", "weights", "settings", "hidden buffer", "parts", "type"],
)
def test_what_decides_the_answer_decides_the_identity(one, other):
    assert repr(one) != repr(other)


def test_a_module_is_named_by_its_class_and_declares_no_range():
    says = declaration(wrap(linear()))
    assert (says.family, says.network, says.range) == ("Conv2d", None, "unbounded")


def test_a_wrapped_module_survives_pickling():
    wrapped = wrap(linear())
    copy = pickle.loads(pickle.dumps(wrapped))
    assert copy == wrapped
    assert torch.equal(copy.pin(NOISE, SHAPE)(IMAGES), wrapped.pin(NOISE, SHAPE)(IMAGES))


@pytest.mark.parametrize("function", [torch.sigmoid, partial(shaken, noise=0)], ids=["built-in", "partial"])
def test_an_unreadable_source_is_measured_but_not_stored(function):
    wrapped = wrap(function, name="opaque")
    assert wrapped.source == ""
    with pytest.raises(TypeError, match="cannot be stored"):
        wrapped.content()


def test_weights_that_changed_since_are_not_stored():
    module = linear()
    wrapped = wrap(module)
    assert wrapped.content() == wrap(linear()).content()
    nn.init.ones_(module.weight)
    with pytest.raises(ValueError, match="weights have changed"):
        wrapped.content()


def test_a_built_in_function_takes_no_noise():
    assert torch.equal(wrap(torch.sigmoid, name="sigmoid").pin(NOISE, SHAPE)(IMAGES), IMAGES.sigmoid())


def test_a_function_needs_a_name():
    with pytest.raises(ValueError, match=r"Wrapped\.name"):
        wrap(halved)


def test_a_module_in_training_is_refused_and_left_alone():
    module = nn.Sequential(nn.BatchNorm2d(1)).eval()
    module[0].train()
    with pytest.raises(ValueError, match="training is True"):
        wrap(module)
    assert module[0].training
