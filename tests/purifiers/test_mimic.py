"""MimicDiffusion: a constant push by signs as published, and what the network makes of it in the paper's form."""

import pytest
import torch

from purigeom.contract import verify
from purigeom.geometry.jacobian import Jacobian
from purigeom.images import Digits
from purigeom.networks.unet import UNet
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.diffusion.mimic import MimicDiffusion, distance
from purigeom.purifiers.diffusion.process import respaced
from purigeom.purifiers.diffusion.resizing import enlarging
from tests.priors import GaussianPrior

DIGITS = Digits()[:2].load()
NOISE = Noise(0, DIGITS.image_ids)
IMAGES = DIGITS.images.double()
SHAPE = (1, 8, 8)
PRIOR = GaussianPrior()
PUBLISHED = {"through_network": False, "enlarged": "nearest"}
WIDE = torch.randn(2, 6, 32, 32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def pushed_at(place, **fields):
    """Return by how much a guided step moves a state, how far its guess is from its reference, and its slope."""
    level, _ = respaced(1000, 100)[place]
    steps = (
        MimicDiffusion(PRIOR, **fields).pin(NOISE, (3, 32, 32)).steps,
        MimicDiffusion(PRIOR, **{**fields, "scale": 0.0}).pin(NOISE, (3, 32, 32)).steps,
    )
    guided, free = (one[1 + place](WIDE)[:, :3] for one in steps)
    state, reference = WIDE.chunk(2, 1)
    signal = PRIOR.alpha_bars()[level]
    shrink = signal.sqrt() * PRIOR.variance / (signal * PRIOR.variance + 1 - signal)
    return guided - free, shrink * state - reference, shrink * signal.sqrt()


@pytest.mark.parametrize(("batch", "push"), [(1, 2.93), (4, 0.73)])
@pytest.mark.parametrize("place", [21, 89])
def test_the_published_guidance_is_a_constant_sign_step(batch, push, place):
    """Twice 3000 / (B H W), whatever the level: both guidances are one, and the network is not in their slope."""
    moved, apart, _ = pushed_at(place, **PUBLISHED, reference_batch=batch)
    torch.testing.assert_close(moved, -2 * 3000 / (batch * 32 * 32) * apart.sign())
    assert moved.abs().max().item() / 2 == pytest.approx(push, abs=0.005)


def test_the_paper_s_guidance_goes_through_the_network():
    """For a Gaussian prior the guess is a multiple of the state: the push is that multiple of the published one."""
    published, _, _ = pushed_at(21, **PUBLISHED)
    through, _, share = pushed_at(21)
    torch.testing.assert_close(through, share * published)
    assert share < 0.05  # so deep, a denoiser hardly listens to its state


def test_repeated_pixels_double_the_distance_and_smooth_ones_do_not():
    apart, origin = WIDE[:, :3], torch.zeros_like(WIDE[:, :3])
    alone = apart.abs().mean((2, 3)).sum(1)
    repeated, smooth = (distance(apart, origin, enlarging((3, 32, 32), 4, kind)) for kind in ("nearest", "bicubic"))
    torch.testing.assert_close(repeated, 2 * alone)
    assert ((smooth - alone).abs() / alone > 0.01).all()


def test_steps_21_to_89_of_a_hundred_are_guided():
    assert [count for count in range(100) if MimicDiffusion(PRIOR)._guides(count)] == list(range(21, 90))
    assert pushed_at(20, **PUBLISHED)[0].abs().max() == 0
    assert pushed_at(90, **PUBLISHED)[0].abs().max() == 0


@pytest.mark.parametrize("fields", [PUBLISHED, {}], ids=["published", "paper"])
def test_the_image_enters_by_signs_alone(fields):
    """The Jacobian is zero, and yet another image gives another answer."""
    purifier = MimicDiffusion(UNet("digits-ddpm"), steps=10, scale=187.5, reference_batch=16, **fields)
    verify(purifier, Batch(IMAGES, None, DIGITS.image_ids), NOISE)
    assert purifier.declaration.differentiability == "piecewise constant"
    pinned = purifier.pin(NOISE, SHAPE)
    jacobian = Jacobian(pinned, IMAGES)
    probes = NOISE.child("probe").normal_like(IMAGES).flatten(1)[..., None]
    assert not jacobian.push(probes).any()
    assert not jacobian.pull(probes).any()
    assert torch.equal(pinned(IMAGES), pinned(IMAGES + 1e-9))
    assert (pinned(IMAGES) - pinned(1 - IMAGES)).abs().max() > 0.1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"steps": 1001}, "MimicDiffusion.steps must be a whole number between 1 and the depth 1000"),
        ({"scale": float("inf")}, "MimicDiffusion.scale must be finite and not negative; got inf"),
        ({"enlarged": "bilinear"}, "MimicDiffusion.enlarged must be one of"),
        ({"factor": 0}, "MimicDiffusion.factor must be a whole number"),
        ({"reference_batch": 0}, "MimicDiffusion.reference_batch must be a whole number"),
        ({"first": -0.1}, "MimicDiffusion.first must be finite and not negative"),
    ],
)
def test_wrong_fields_are_named(fields, message):
    with pytest.raises(ValueError, match=message):
        MimicDiffusion(PRIOR, **fields)


@pytest.mark.parametrize(("first", "last"), [(21, 89), (0.9, 0.2)])
def test_shares_that_are_none_are_refused(first, last) -> None:
    with pytest.raises(ValueError, match="needs first <= last <= 1, shares of all steps"):
        MimicDiffusion(UNet("digits-ddpm"), first=first, last=last)
