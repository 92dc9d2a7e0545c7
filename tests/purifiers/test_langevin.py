"""Langevin dynamics on an energy whose every step is known, and on small networks."""

from dataclasses import dataclass

import pytest
import torch

from purigeom.contract import Checked, verify
from purigeom.cost import counted
from purigeom.derivatives import derivatives_told
from purigeom.geometry.jacobian import Jacobian
from purigeom.images import Digits
from purigeom.networks.energy import EnergyNetwork, energy
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.energy.langevin import LangevinEBM
from purigeom.training.saving import saved

DIGITS = Digits()[:2].load()
NOISE = Noise(0, DIGITS.image_ids)
IMAGES = DIGITS.images.double()
BATCH = Batch(IMAGES, None, DIGITS.image_ids)
SHAPE = (1, 8, 8)


@dataclass(frozen=True)
class Bowl:
    """The energy curvature / 2 |X|^2."""

    curvature: float = 0.1
    checkpoint: str = "bowl"

    def content(self) -> str:
        return repr(self)

    def check(self, image_shape) -> None: ...

    def module(self, device, dtype):
        return lambda states: self.curvature / 2 * states.square().sum((1, 2, 3))


@pytest.fixture
def network(tmp_path):
    """Return a function that saves an energy with random weights, large enough to bend what it moves."""

    def kept(activation):
        settings = {"channels": 1, "size": 8, "widths": [6, 8], "activation": activation}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            made = energy(**settings)
        saved(tmp_path, made, settings, half=False)
        return EnergyNetwork(str(tmp_path))

    return kept


def normal(number):
    return NOISE.child("langevin", number).normal_like(IMAGES)


def test_in_a_bowl_it_is_the_linear_recursion() -> None:
    """X_n = r^n X_0 + deviation sum_k r^(n - 1 - k) N_k, with r = 1 - step curvature."""
    purifier = LangevinEBM(Bowl(), steps=30, step=0.5, deviation=0.02)
    ratio = 1 - 0.5 * 0.1
    noise = sum(ratio ** (29 - number) * normal(number) for number in range(30))
    expected = ratio**30 * (2 * IMAGES - 1) + 0.02 * noise
    torch.testing.assert_close(purifier.pin(NOISE, SHAPE)(IMAGES), (expected + 1) / 2)


def test_in_a_bowl_images_end_up_where_the_recursion_comes_to_rest() -> None:
    """The stationary variance is deviation^2 / (1 - r^2), whatever the image was."""
    many = Noise(0, tuple(range(40)))
    images = IMAGES[:1].repeat(40, 1, 1, 1)
    purifier = LangevinEBM(Bowl(0.2), steps=60, deviation=0.1)
    states = 2 * purifier.pin(many, SHAPE)(images) - 1
    assert states.var().item() == pytest.approx(0.1**2 / (1 - 0.8**2), rel=5 * (2 / states.numel()) ** 0.5)


def test_noise_before_the_first_step_is_of_the_size_asked_for() -> None:
    bare, noised = (
        LangevinEBM(Bowl(), steps=1, initial_deviation=deviation).pin(NOISE, SHAPE)(IMAGES) for deviation in (0.0, 0.5)
    )
    shift = 0.5 * NOISE.child("initial").normal_like(IMAGES)
    torch.testing.assert_close(2 * (noised - bare), (1 - 0.1) * shift)


@pytest.mark.parametrize("block", [1, 3, 7, 100])
def test_steps_in_blocks_are_the_same_steps(block) -> None:
    purifier = LangevinEBM(Bowl(), steps=7, block=block)
    chain = purifier.pin(NOISE, SHAPE)
    assert len(chain.steps) == 2 + -(-7 // block)
    assert torch.equal(chain(IMAGES), LangevinEBM(Bowl(), steps=7).pin(NOISE, SHAPE)(IMAGES))
    with counted() as evaluations:
        chain(IMAGES)
    assert evaluations.count == 7 * len(IMAGES)


@pytest.mark.parametrize("clip", [True, False])
def test_a_smooth_energy_keeps_the_laws_and_its_second_derivatives_are_unrolled(network, clip) -> None:
    purifier = LangevinEBM(network("silu"), steps=8, block=3, clip=clip)
    verify(purifier, BATCH, NOISE)
    assert "agree" in derivatives_told(purifier, BATCH, NOISE)


def test_replay_gives_the_gradient_of_the_whole_graph(network) -> None:
    chain = LangevinEBM(network("silu"), steps=6, step=5.0).pin(NOISE, SHAPE)
    replayed, whole = (IMAGES.clone().requires_grad_() for _ in range(2))
    chain(replayed).square().sum().backward()
    chain.states(whole)[-1].square().sum().backward()
    torch.testing.assert_close(replayed.grad, whole.grad)


def test_with_the_published_energy_the_jacobian_is_the_identity_but_the_map_is_not(network) -> None:
    """Its slope is constant in pieces: what it does to a displacement happens in jumps."""
    images, tangents = IMAGES, NOISE.child("tangent").normal_like(IMAGES).flatten(1)[..., None]
    purifier = LangevinEBM(network("leaky relu"), steps=10, step=5.0, deviation=0.0)
    leaky = purifier.pin(NOISE, SHAPE)
    torch.testing.assert_close(Jacobian(leaky, images).push(tangents), tangents)
    assert (leaky(images) - images).abs().max() > 0.1
    displacement = 0.2 * tangents.reshape(images.shape)
    assert (leaky(images + displacement) - leaky(images) - displacement).abs().max() > 1e-2
    smooth = LangevinEBM(network("silu"), steps=10, step=5.0, deviation=0.0).pin(NOISE, SHAPE)
    assert (Jacobian(smooth, images).push(tangents) - tangents).abs().max() > 1e-2


def test_what_diverges_is_named_by_image_and_step() -> None:
    """A grey image rests at the bottom of the bowl; the other grows a 1e60-fold in every step."""
    grey = torch.full_like(IMAGES[:1], 0.5)
    purifier = Checked(LangevinEBM(Bowl(1.0), steps=10, step=1e60, deviation=0.0))
    noise = Noise(0, (71, 72))
    with pytest.raises(ValueError, match=r"returned, first in step 2 of 12, NaN or infinity for image 72\."):
        purifier.pin(noise, SHAPE)(torch.cat([grey, IMAGES[:1]]))
    assert torch.equal(purifier.pin(noise[:1], SHAPE)(grey), grey)


def test_a_run_that_is_far_away_and_still_a_number_has_diverged_too() -> None:
    purifier = Checked(LangevinEBM(Bowl(1.0), steps=4, step=20.0, deviation=0.0))
    with pytest.raises(ValueError, match=r"returned, first in step \d of 6, pixels as far as .*, which has diverged,"):
        purifier.pin(Noise(0, (72,)), SHAPE)(IMAGES[:1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, r"LangevinEBM.steps must be a whole number of at least 1; got 0"),
        ({"block": 1.5}, r"LangevinEBM.block must be a whole number of at least 1; got 1.5"),
        ({"step": -1.0}, r"LangevinEBM.step must be finite and not negative; got -1"),
        ({"deviation": float("nan")}, r"LangevinEBM.deviation must be finite and not negative; got nan"),
        ({"initial_deviation": -0.1}, r"LangevinEBM.initial_deviation must be finite and not negative"),
    ],
)
def test_values_that_make_no_sense_are_named(changes, message) -> None:
    with pytest.raises(ValueError, match=message):
        LangevinEBM(Bowl(), **changes)


def test_images_that_do_not_fit_the_energy_are_named(network) -> None:
    with pytest.raises(ValueError, match=r"EnergyNetwork\('.*'\) takes images of shape \(1, 8, 8\); got \(3, 8, 8\)"):
        LangevinEBM(network("silu")).pin(NOISE, (3, 8, 8))
