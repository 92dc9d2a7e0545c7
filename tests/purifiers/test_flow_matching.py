"""Flow matching on velocities whose Euler steps are known, and on a network."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch

from purigeom.contract import verify
from purigeom.cost import counted
from purigeom.derivatives import derivatives_told
from purigeom.images import Digits
from purigeom.networks.diffusion.predictor import Prediction
from purigeom.networks.velocity import INDICES, Velocity
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.flow_matching import FlowMatching

DIGITS = Digits()[:2].load()
NOISE = Noise(0, DIGITS.image_ids)
IMAGES = DIGITS.images.double()
BATCH = Batch(IMAGES, None, DIGITS.image_ids)
SHAPE = (1, 8, 8)


@dataclass(frozen=True)
class Field:
    """A velocity that is a function of state and time."""

    velocity: Callable
    checkpoint: str = "field"

    def content(self) -> str:
        return repr(self)

    def check(self, image_shape) -> None: ...

    def module(self, device, dtype):
        return lambda state, index: Prediction(self.velocity(state, index / INDICES))


def purified(velocity, images=IMAGES, **settings):
    return FlowMatching(Field(velocity), **{"clip": False, **settings}).pin(NOISE, SHAPE)(images)


@pytest.mark.parametrize(("steps", "start"), [(1, 0.0), (10, 0.0), (7, 0.4)])
def test_a_linear_velocity_shrinks_by_one_factor_in_every_step(steps, start) -> None:
    """dX/dt = -3 X in steps of h: X_n = (1 - 3 h)^n X_0."""
    factor = (1 - 3 * (1 - start) / steps) ** steps
    found = purified(lambda state, time: -3 * state, steps=steps, start=start)
    torch.testing.assert_close(2 * found - 1, factor * (2 * IMAGES - 1))


def test_many_steps_end_where_the_flow_does() -> None:
    found = 2 * purified(lambda state, time: -3 * state, steps=2000) - 1
    torch.testing.assert_close(found, (2 * IMAGES - 1) * torch.tensor(-3.0).exp(), rtol=5e-3, atol=1e-6)


@pytest.mark.parametrize("steps", [1, 3, 10])
def test_straight_paths_are_followed_exactly_in_any_number_of_steps(steps) -> None:
    """The velocity that leads to a target by time 1 from wherever a state is: (target - X) / (1 - t)."""
    target = torch.full_like(IMAGES, 0.25)
    found = purified(lambda state, time: (target - state) / (1 - time), steps=steps, start=0.2)
    torch.testing.assert_close(2 * found - 1, target)


def test_the_velocity_is_told_the_time_at_which_every_step_begins() -> None:
    found = 2 * purified(lambda state, time: time.expand_as(state), steps=4, start=0.2) - 2 * IMAGES
    torch.testing.assert_close(found, torch.full_like(IMAGES, 0.2 * (0.2 + 0.4 + 0.6 + 0.8)))


@pytest.mark.parametrize("start", [0.0, 0.6])
def test_an_image_that_enters_later_is_noised_less(start) -> None:
    found = purified(lambda state, time: 0 * state, sigma=0.25, start=start)
    noise = NOISE.child("noise").normal_like(IMAGES)
    torch.testing.assert_close(found - IMAGES, 0.25 * (1 - start) * noise)


def test_clipping_brings_images_back_and_says_so() -> None:
    away = Field(lambda state, time: 5 * state)
    clipped, free = (FlowMatching(away, clip=clip) for clip in (True, False))
    assert (clipped.declaration.range, free.declaration.range) == ("clamped", "unbounded")
    answers = clipped.pin(NOISE, SHAPE)(IMAGES), free.pin(NOISE, SHAPE)(IMAGES)
    assert torch.equal(answers[0], answers[1].clamp(0, 1))
    assert answers[1].max() > 1


@pytest.mark.parametrize("sigma", [0.0, 0.1])
def test_a_network_keeps_the_laws_and_has_exact_derivatives(sigma) -> None:
    """Any UNet is a velocity; whether it is a good one is its training's affair."""
    purifier = FlowMatching(Velocity("digits-ddpm"), steps=3, sigma=sigma)
    verify(purifier, BATCH, NOISE)
    assert "agree" in derivatives_told(purifier, BATCH, NOISE)
    with counted() as evaluations:
        purifier.pin(NOISE, SHAPE)(IMAGES)
    assert evaluations.count == 3 * len(IMAGES)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, r"FlowMatching.steps must be a whole number of at least 1; got 0"),
        ({"start": -0.1}, r"FlowMatching.start must be finite and not negative"),
        ({"start": 1.0}, r"FlowMatching.start must be below 1, the time of clean images; got 1.0"),
        ({"sigma": -0.1}, r"FlowMatching.sigma must be finite and not negative"),
    ],
)
def test_values_that_make_no_sense_are_named(changes, message) -> None:
    with pytest.raises(ValueError, match=message):
        FlowMatching(Velocity("digits-ddpm"), **changes)


def test_images_that_do_not_fit_the_network_are_named() -> None:
    with pytest.raises(ValueError, match=r"digits-ddpm.* takes 1 and returns 1 channels"):
        FlowMatching(Velocity("digits-ddpm")).pin(NOISE, (3, 8, 8))
