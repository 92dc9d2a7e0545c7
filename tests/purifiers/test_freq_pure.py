"""FreqPure's exchange of frequencies against numpy, and what its published phase leaves of the projection."""

import numpy as np
import pytest
import torch

from purigeom.contract import verify
from purigeom.derivatives import derivatives_told
from purigeom.images import Digits
from purigeom.networks.unet import UNet
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.diffusion.freq_pure import FreqPure, exchange
from tests.priors import GaussianPrior

DIGITS = Digits()[:2].load()
NOISE = Noise(0, DIGITS.image_ids)
IMAGES = DIGITS.images.double()
SHAPE = (1, 8, 8)
NETWORK = UNet("digits-ddpm")
PRIOR = GaussianPrior()
GUESS, REFERENCE = torch.rand(2, 2, 3, 8, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def exchanged_plainly(guess, reference, cuts, margin):
    """One channel, one frequency after another, in angles."""
    ours, theirs, mixed = np.fft.fft2(guess), np.fft.fft2(reference), np.zeros(guess.shape, complex)
    for (row, column), number in np.ndenumerate(ours):
        radius = np.hypot(*(min(k, n - k) for k, n in zip((row, column), guess.shape, strict=True)))
        other, amplitude, angle = theirs[row, column], abs(number), np.angle(number)
        if radius <= cuts[0]:
            amplitude = abs(other)
        if radius <= cuts[1]:
            apart = (angle - np.angle(other) + np.pi) % (2 * np.pi) - np.pi
            angle = np.angle(other) + np.clip(apart, -margin, margin)
        mixed[row, column] = amplitude * np.exp(1j * angle)
    return np.fft.ifft2(mixed).real


@pytest.mark.parametrize("cuts", [(3, 3), (1, 2), (2, 1), (0, 0)])
@pytest.mark.parametrize("margin", [0.0, 0.3, 3.0])
def test_frequencies_are_exchanged_as_by_hand(cuts, margin):
    found = exchange(FreqPure(PRIOR, amplitude_cut=cuts[0], phase_cut=cuts[1], margin=margin), GUESS, REFERENCE)
    for channel, guess, reference in zip(
        found.flatten(0, 1), GUESS.flatten(0, 1), REFERENCE.flatten(0, 1), strict=True
    ):
        oracle = exchanged_plainly(guess.numpy(), reference.numpy(), cuts, margin)
        torch.testing.assert_close(channel, torch.from_numpy(oracle))


def test_the_published_phase_is_the_input_s_whatever_the_margin():
    replaced = [exchange(FreqPure(PRIOR, phase="replaced", margin=margin), GUESS, REFERENCE) for margin in (0.0, 3.0)]
    nothing_to_project = exchange(FreqPure(PRIOR, margin=0.0), GUESS, REFERENCE)
    for found in replaced:
        torch.testing.assert_close(found, nothing_to_project)
    assert (replaced[0] - exchange(FreqPure(PRIOR, margin=0.3), GUESS, REFERENCE)).abs().max() > 0.01


def test_with_all_frequencies_low_the_input_comes_back():
    purifier = FreqPure(NETWORK, steps=2, amplitude_cut=9, phase_cut=9, margin=0.0)
    torch.testing.assert_close(purifier.pin(NOISE, SHAPE)(IMAGES), IMAGES, rtol=0, atol=1e-9)


def test_with_no_frequency_low_but_the_mean_only_the_mean_is_kept():
    free = DDPM(NETWORK, depth=100, steps=1).pin(NOISE, SHAPE)(IMAGES)
    kept = FreqPure(NETWORK, steps=1, amplitude_cut=0, phase_cut=0, clip=False, margin=0.0).pin(NOISE, SHAPE)(IMAGES)
    torch.testing.assert_close(kept.mean((1, 2, 3)), IMAGES.mean((1, 2, 3)))
    apart = (kept - kept.mean((1, 2, 3), keepdim=True)) - (free - free.mean((1, 2, 3), keepdim=True))
    assert apart.abs().max() < 0.2  # one clips its guess, the other does not


@pytest.mark.parametrize("phase", ["projected", "replaced"])
def test_it_keeps_the_laws_and_its_derivatives_are_its_own(phase):
    purifier = FreqPure(NETWORK, steps=2, amplitude_cut=1, phase_cut=2, phase=phase)
    batch = Batch(IMAGES, None, DIGITS.image_ids)
    verify(purifier, batch, NOISE)
    assert "agree" in derivatives_told(purifier, batch, NOISE)


def test_images_of_nothing_have_finite_gradients():
    """Their spectrum has neither amplitude nor phase."""
    images = torch.zeros(2, *SHAPE, dtype=torch.float64, requires_grad=True)
    FreqPure(NETWORK, steps=1).pin(NOISE, SHAPE)(images).sum().backward()
    assert images.grad.isfinite().all()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"phase": "clipped"}, "FreqPure.phase must be one of"),
        ({"margin": -0.1}, "FreqPure.margin must be finite and not negative; got -0.1"),
        ({"amplitude_cut": float("nan")}, "FreqPure.amplitude_cut must be finite"),
        ({"variance": "none"}, "FreqPure.variance must be one of"),
    ],
)
def test_wrong_fields_are_named(fields, message):
    with pytest.raises(ValueError, match=message):
        FreqPure(PRIOR, **fields)
