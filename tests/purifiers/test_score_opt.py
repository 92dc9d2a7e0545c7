"""ScoreOpt against torch's own Adam, image by image, and its unrolled gradients against differences."""

import pytest
import torch

from purigeom.contract import verify
from purigeom.derivatives import derivatives_told
from purigeom.geometry.chain import Chain
from purigeom.images import Digits
from purigeom.networks.unet import UNet
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.diffusion.score_opt import ScoreOptN, ScoreOptO
from tests.priors import GaussianPrior

DIGITS = Digits()[:2].load()
NOISE = Noise(0, DIGITS.image_ids)
IMAGES = DIGITS.images.double()
BATCH = Batch(IMAGES, None, DIGITS.image_ids)
SHAPE = (1, 8, 8)
NETWORK = UNet("digits-ddpm")
PRIOR = GaussianPrior()


def denoised(prior, noisy, deviation):
    return prior.variance / (prior.variance + deviation**2) * noisy


def drawn(noise, name, like):
    return noise.child(name).normal_like(like)


def deviation_of(purifier, own):
    unit = own.child("deviation").uniform_like(torch.empty(1, 1)).item()
    return purifier.sigma + purifier.spread * unit


def fitted_with_torch(purifier, image, own):
    """Optimise one image with torch.optim.Adam on a prior whose denoiser is known."""
    found = (2 * image - 1).clone().requires_grad_()
    adam = torch.optim.Adam([found], lr=purifier.rate)
    for count in range(1, purifier.iterations + 1):
        noise = own.child("iteration", count)
        deviation = deviation_of(purifier, noise)
        noisy = found + deviation * drawn(noise, "noise", image)
        adam.zero_grad()
        ((denoised(PRIOR, noisy, deviation) - found).square().mean() / purifier.reference_batch).backward()
        adam.step()
    return ((found.detach() + 1) / 2).clamp(0, 1)


@pytest.mark.parametrize("reference_batch", [1, 64])
def test_score_opt_o_is_torch_s_adam_on_every_image_alone(reference_batch):
    purifier = ScoreOptO(PRIOR, reference_batch=reference_batch)
    alone = [fitted_with_torch(purifier, IMAGES[[place]], NOISE[[place]]) for place in range(2)]
    torch.testing.assert_close(purifier.pin(NOISE, SHAPE)(IMAGES), torch.cat(alone))


def test_score_opt_n_is_torch_s_adam_on_the_noisy_image():
    purifier = ScoreOptN(PRIOR, sigma=0.25, iterations=5)
    added = drawn(NOISE, "noise", IMAGES)
    noisy = (2 * IMAGES - 1 + 0.25 * added).requires_grad_()
    adam = torch.optim.Adam([noisy], lr=0.1)
    for _ in range(5):
        adam.zero_grad()
        seen = (noisy - denoised(PRIOR, noisy, 0.25)) / 0.25
        (seen - added).square().flatten(1).mean(1).sum().backward()
        adam.step()
    expected = ((denoised(PRIOR, noisy.detach(), 0.25) + 1) / 2).clamp(0, 1)
    torch.testing.assert_close(purifier.pin(NOISE, SHAPE)(IMAGES), expected)


def test_a_shared_deviation_is_one_for_all_images_and_any_batch():
    """The published code draws one for its batch: here that is one for all batches, or images would be coupled."""
    own, shared = (ScoreOptO(PRIOR, shared=shared)._drawn(NOISE.child("iteration", 1)) for shared in (False, True))
    alone = ScoreOptO(PRIOR, shared=True)._drawn(NOISE[[1]].child("iteration", 1))
    assert len(set(own.deviations(2))) == 2
    assert len(set(shared.deviations(2))) == 1
    assert alone.deviations(1) == shared.deviations(2)[:1]
    answers = [ScoreOptO(PRIOR, shared=shared).pin(NOISE, SHAPE)(IMAGES) for shared in (False, True)]
    assert (answers[0] - answers[1]).abs().max() > 1e-3


def test_deviations_lie_within_their_spread_and_fill_it():
    noise = Noise(0, tuple(range(400)))
    deviations = torch.tensor(ScoreOptO(PRIOR)._drawn(noise).deviations(400))
    assert (deviations - 0.5).abs().max() <= 0.1
    assert (deviations - 0.5).abs().max() > 0.099
    assert abs(deviations.mean().item() - 0.5) < 4 * 0.1 / (3 * 400) ** 0.5


@pytest.mark.parametrize(
    "purifier", [ScoreOptO(NETWORK, iterations=2, shared=True), ScoreOptN(NETWORK, iterations=1)], ids=["O", "N"]
)
def test_it_keeps_the_laws_and_its_unrolled_derivatives_are_its_own(purifier):
    """Second derivatives of the network included: differences know nothing of how they are made."""
    verify(purifier, BATCH, NOISE)
    assert "agree" in derivatives_told(purifier, BATCH, NOISE)


def test_replay_gives_the_gradient_of_the_whole_graph():
    chain = ScoreOptO(NETWORK, iterations=2).pin(NOISE, SHAPE)
    assert isinstance(chain, Chain)
    replayed, whole = (IMAGES.clone().requires_grad_() for _ in range(2))
    chain(replayed).square().sum().backward()
    chain.states(whole)[-1].square().sum().backward()
    torch.testing.assert_close(replayed.grad, whole.grad)
    assert replayed.grad.abs().max() > 0.1


def test_an_image_that_needs_no_change_has_a_finite_gradient():
    """Where the gradient of a pixel is exactly zero, Adam's root has no slope."""

    class Content(GaussianPrior):
        def module(self, device, dtype):
            return lambda state, index: type("Answer", (), {"sample": 0 * state})

    chain = ScoreOptO(Content(), spread=0.0).pin(NOISE, SHAPE)
    images = IMAGES.clone().requires_grad_()
    chain(images).sum().backward()
    assert images.grad.isfinite().all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ScoreOptO(PRIOR, iterations=0), "ScoreOptO.iterations must be a whole number of at least 1; got 0"),
        (lambda: ScoreOptO(PRIOR, rate=-0.1), "ScoreOptO.rate must be finite and not negative"),
        (lambda: ScoreOptO(PRIOR, sigma=0.05).pin(NOISE, SHAPE), "ScoreOptO.sigma - spread must lie between 0.01"),
        (lambda: ScoreOptO(PRIOR, sigma=200.0).pin(NOISE, SHAPE), "ScoreOptO.sigma . spread must lie between 0.01"),
        (lambda: ScoreOptN(PRIOR, sigma=0.0).pin(NOISE, SHAPE), "ScoreOptN.sigma must lie between 0.01"),
        (lambda: ScoreOptN(PRIOR, reference_batch=0), "ScoreOptN.reference_batch must be a whole number"),
        (lambda: ScoreOptO(NETWORK).pin(NOISE, (3, 8, 8)), "digits-ddpm.* takes 1 and returns 1 channels"),
    ],
)
def test_what_does_not_fit_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
