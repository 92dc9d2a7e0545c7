"""Adaptive denoising where the score is a Gaussian's and every step is known, and against a naive loop."""

from dataclasses import dataclass

import pytest
import torch

from purigeom.contract import BrokenImagesError, Checked, verify
from purigeom.derivatives import derivatives_told
from purigeom.images import Digits
from purigeom.networks.quick import Quick
from purigeom.networks.score import ScoreNetwork, score
from purigeom.networks.unet import UNet
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.energy.adaptive import ADP
from purigeom.purifiers.energy.noise_score import NoiseScore
from purigeom.training.saving import saved
from tests.priors import GaussianPrior

DIGITS = Digits()[:2].load()
NOISE = Noise(0, DIGITS.image_ids)
IMAGES = DIGITS.images.double()
BATCH = Batch(IMAGES, None, DIGITS.image_ids)
INSIDE = 0.5 + 0.1 * NOISE.child("inside").uniform_like(IMAGES)
"""Images that a little noise and a Gaussian about a half never bring near black or white."""
SHAPE = (1, 8, 8)


@dataclass(frozen=True)
class Gaussian:
    """The score of one Gaussian about a half; of `bright` variance, if given, where the first pixel is bright."""

    variance: float = 0.04
    bright: float | None = None
    checkpoint: str = "gaussian"

    def scores(self, image_shape):
        def answer(images):
            lit = images[:, :1, :1, :1] > 0.5
            variance = torch.where(lit, self.bright or self.variance, self.variance)
            return (0.5 - images) / variance

        return answer


@dataclass(frozen=True)
class Wave:
    """A score that is no Gaussian's: its steps have another size in every iteration."""

    checkpoint: str = "wave"

    def scores(self, image_shape):
        return lambda images: 3 * torch.sin(7 * images) - 5 * images.pow(3)


@pytest.fixture
def network(tmp_path):
    settings = {"channels": 1, "size": 8, "width": 6, "blocks": 2}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = score(**settings)
    saved(tmp_path, made, settings, half=False)
    return ScoreNetwork(str(tmp_path))


def noised(images, sigma):
    return (images + sigma * NOISE.child("noise").normal_like(images)).clamp(0, 1)


def naively(purifier, image, own):
    """Purify one image as the published loop does, leaving it as soon as the image stops."""
    scores = purifier.network.scores(SHAPE)

    def shown(images):
        return images * 255 / 256 + 1 / 512

    def plain(images):
        return (images - 1 / 512) * 256 / 255

    state = (image + purifier.sigma * own.child("noise").normal_like(image)).clamp(0, 1)
    state = shown(state) if purifier.transform == "once" else state
    for _ in range(purifier.iterations):
        asked = shown(state) if purifier.transform == "every" else state
        slope = scores(asked)
        ahead = scores(asked + purifier.probe * slope)
        likeness = (slope * ahead).sum() / (slope * slope).sum()
        size = (purifier.rate * purifier.probe / (1 - likeness)).clamp(purifier.lowest, purifier.highest)
        if size <= purifier.threshold:
            break
        moved = asked + size * slope
        state = (moved if purifier.transform == "none" else plain(moved)).clamp(0, 1)
    return state.clamp(0, 1)


def test_on_a_gaussian_every_step_goes_the_same_share_of_the_way_to_its_mean() -> None:
    """1 - <g, g'> / <g, g> = probe / variance there, so the step is rate times the variance."""
    purifier = ADP(Gaussian(), sigma=0.01, iterations=10)
    expected = 0.5 + (1 - 0.05) ** 10 * (noised(INSIDE, 0.01) - 0.5)
    torch.testing.assert_close(purifier.pin(NOISE, SHAPE)(INSIDE), expected)


def test_the_step_does_not_depend_on_the_units_of_the_score_until_it_is_clipped() -> None:
    """A score of c times the size has a step of one c-th: 0.05 * 0.04 / c, which is above 0.1 for c below 0.02."""

    @dataclass(frozen=True)
    class Scaled(Gaussian):
        factor: float = 1.0

        def scores(self, image_shape):
            return lambda images: self.factor * (0.5 - images) / self.variance

    answers = [ADP(Scaled(factor=one), sigma=0.01).pin(NOISE, SHAPE)(INSIDE) for one in (1.0, 0.5, 0.01)]
    torch.testing.assert_close(answers[0], answers[1])
    clipped = 0.5 + (1 - 0.1 * 0.01 / 0.04) ** 10 * (noised(INSIDE, 0.01) - 0.5)
    torch.testing.assert_close(answers[2], clipped)


def test_an_image_stops_on_its_own_while_another_moves_on() -> None:
    """A variance of 0.01 asks for a step of 5e-4, which is below the threshold: that image is only noised."""
    images = INSIDE.clone()
    images[0, 0, 0, 0], images[1, 0, 0, 0] = 0.4, 0.6
    found = ADP(Gaussian(0.01, bright=0.04), sigma=0.01, iterations=3).pin(NOISE, SHAPE)(images)
    noisy = noised(images, 0.01)
    assert torch.equal(found[0], noisy[0])
    torch.testing.assert_close(found[1], 0.5 + 0.95**3 * (noisy[1] - 0.5))


def test_an_image_that_stopped_never_moves_again() -> None:
    """Once its own step is short it rests, even where the score would soon ask for longer ones."""
    purifier = ADP(Gaussian(0.01), sigma=0.01, iterations=4)
    chain = purifier.pin(NOISE, SHAPE)
    first, *_, last, answer = chain.states(INSIDE)[1:]
    assert first[:, -1].all()
    assert not last[:, -1].any()
    assert torch.equal(answer, first[:, :-1])


@pytest.mark.parametrize("transform", ["none", "every", "once"])
def test_it_is_the_published_loop_of_every_image_alone(transform) -> None:
    purifier = ADP(Wave(), iterations=6, highest=0.02, transform=transform)
    alone = [naively(purifier, IMAGES[[place]], NOISE[[place]]) for place in range(2)]
    torch.testing.assert_close(purifier.pin(NOISE, SHAPE)(IMAGES), torch.cat(alone))


def test_the_published_transform_stretches_images_from_the_second_step_on() -> None:
    """It takes back what it did once in every step: there a pixel moves away from a half by another 255th part."""
    none, every, once = (
        ADP(Gaussian(), sigma=0.01, iterations=5, rate=1e-9, lowest=1e-6, threshold=0.0, transform=one)
        .pin(NOISE, SHAPE)(INSIDE)
        .sub(0.5)
        for one in ("none", "every", "once")
    )
    torch.testing.assert_close(none, every, rtol=1e-3, atol=0)
    torch.testing.assert_close(once, none * (256 / 255) ** 4, rtol=1e-3, atol=0)


@pytest.mark.parametrize("transform", ["none", "every", "once"])
def test_it_keeps_the_laws_and_its_unrolled_derivatives_are_its_own(network, transform) -> None:
    purifier = ADP(network, sigma=0.1, iterations=3, rate=1.0, highest=10.0, transform=transform)
    verify(purifier, BATCH, NOISE)
    assert "agree" in derivatives_told(purifier, BATCH, NOISE)


def test_replay_gives_the_gradient_of_the_whole_graph(network) -> None:
    chain = ADP(network, sigma=0.1, iterations=3, rate=1.0, highest=10.0).pin(NOISE, SHAPE)
    replayed, whole = (INSIDE.clone().requires_grad_() for _ in range(2))
    chain(replayed).square().sum().backward()
    chain.states(whole)[-1].square().sum().backward()
    torch.testing.assert_close(replayed.grad, whole.grad)
    assert replayed.grad.abs().max() > 0.1


def test_a_noise_predictor_s_score_is_that_of_its_prior_under_noise() -> None:
    """Pixels in [-1, 1] of variance v, under noise of s: -y / (v + s^2), and twice that where white is one."""
    prior = GaussianPrior(0.3)
    found = NoiseScore(prior, 0.1).scores(SHAPE)(IMAGES)
    torch.testing.assert_close(found, -2 * (2 * IMAGES - 1) / (0.3 + 0.2**2), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(NoiseScore(prior, 0.1, unified=True).scores(SHAPE)(IMAGES), 0.1 * found)


def test_it_takes_a_diffusion_model_for_its_score() -> None:
    purifier = ADP(NoiseScore(UNet("digits-ddpm"), 0.1), sigma=0.1, iterations=1, rate=0.5)
    verify(purifier, BATCH, NOISE)
    assert "agree" in derivatives_told(purifier, BATCH, NOISE)
    assert purifier.declaration.network == "digits-ddpm"
    noisy, cleaner = noised(IMAGES, 0.1), purifier.pin(NOISE, SHAPE)(IMAGES)
    assert (cleaner - IMAGES).square().mean() < 0.7 * (noisy - IMAGES).square().mean()


def test_the_rounding_of_a_quick_network_is_that_of_its_steps() -> None:
    chain = ADP(NoiseScore(Quick(GaussianPrior())), iterations=2).pin(NOISE, SHAPE)
    assert [getattr(step, "rounding", 0.0) for step in chain.steps] == [0, 2**-7, 2**-7, 0]


def test_where_the_score_vanishes_nothing_moves_and_slopes_are_finite() -> None:
    @dataclass(frozen=True)
    class Content(Gaussian):
        def scores(self, image_shape):
            return lambda images: 0 * images

    images = INSIDE.clone().requires_grad_()
    answer = ADP(Content(), sigma=0.01).pin(NOISE, SHAPE)(images)
    answer.sum().backward()
    torch.testing.assert_close(answer, noised(INSIDE, 0.01))
    torch.testing.assert_close(images.grad, torch.ones_like(images))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ADP(Gaussian(), iterations=0), r"ADP.iterations must be a whole number of at least 1; got 0"),
        (lambda: ADP(Gaussian(), sigma=-0.1), r"ADP.sigma must be finite and not negative"),
        (lambda: ADP(Gaussian(), threshold=float("inf")), r"ADP.threshold must be finite and not negative"),
        (lambda: ADP(Gaussian(), probe=0.0), r"ADP needs a probe above zero .*; got probe=0.0"),
        (lambda: ADP(Gaussian(), lowest=0.2), r"ADP needs .* lowest step of at most the highest; got .*lowest=0.2"),
        (lambda: ADP(Gaussian(), transform="twice"), r"ADP.transform must be one of .*; got 'twice'"),
        (lambda: NoiseScore(GaussianPrior(), -1.0), r"NoiseScore.deviation must be finite and not negative"),
        (lambda: NoiseScore(GaussianPrior(), 0.0).scores(SHAPE), r"Twice NoiseScore.deviation must lie between 0.01"),
    ],
)
def test_values_that_make_no_sense_are_named(make, message) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_images_that_do_not_fit_the_score_are_named(network) -> None:
    with pytest.raises(ValueError, match=r"ScoreNetwork\('.*'\) takes images of shape \(1, 8, 8\); got \(3, 8, 8\)"):
        ADP(network).pin(NOISE, (3, 8, 8))


@pytest.mark.parametrize("fault", [float("nan"), float("inf")])
def test_a_score_that_breaks_is_named_and_is_no_reason_to_stop(fault) -> None:
    @dataclass(frozen=True)
    class Breaking(Gaussian):
        def scores(self, image_shape):
            whole = super().scores(image_shape)
            broken = torch.tensor([0.0, 1.0])[:, None, None, None]
            return lambda images: torch.where(broken[: len(images)].bool(), fault, whole(images))

    with pytest.raises(BrokenImagesError, match=f"first in step 2 of .* for image {DIGITS.image_ids[1]}"):
        Checked(ADP(Breaking())).pin(NOISE, SHAPE)(IMAGES)
