"""The samplers against diffusers' schedulers, against each other, and against a prior that is known exactly."""

import math

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler

from purigeom.noise import Noise
from purigeom.purifiers.diffusion import process
from purigeom.purifiers.diffusion.ddim import DDIM, OneShot
from purigeom.purifiers.diffusion.ddpm import DDPM, ReverseOnly
from purigeom.purifiers.diffusion.process import respaced
from purigeom.purifiers.diffusion.sde import VPSDE, ProbabilityFlow
from tests.checkpoints import saved

NOISE = Noise(0, (3, 8))
IMAGES = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
SHAPE = (1, 8, 8)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="module")
def linear_network(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("linear"))


def reverse_with(scheduler, network, depth, state, *, noises):
    predict = network.module(state.device, state.dtype)
    for level in reversed(range(depth)):
        scheduler_noise = noises(level)
        output = predict(state, level).sample
        state = scheduler(output, level, state, scheduler_noise)
    return (state + 1) / 2


@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.parametrize("variance", ["small", "large"])
def test_ancestral_sampling_is_diffusers(network, clip, variance, monkeypatch) -> None:
    depth, noise = 12, NOISE.child("reverse")
    scheduler = DDPMScheduler(variance_type=f"fixed_{variance}", clip_sample=clip)

    def step(output, level, state, drawn):
        monkeypatch.setattr(
            "diffusers.schedulers.scheduling_ddpm.randn_tensor", lambda *_, **__: drawn.to(output.dtype)
        )
        return scheduler.step(output, level, state).prev_sample

    expected = reverse_with(
        step, network, depth, 2 * IMAGES - 1, noises=lambda level: noise.child(level).normal_like(IMAGES)
    )
    purifier = ReverseOnly(network, depth, clip=clip, variance=variance)
    found = purifier.pin(NOISE, SHAPE)(IMAGES)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)  # their levels are float32


@pytest.mark.parametrize("eta", [0.0, 0.7])
def test_implicit_sampling_is_diffusers(network, eta) -> None:
    depth = 12
    scheduler = DDIMScheduler(clip_sample=True, set_alpha_to_one=True)
    scheduler.set_timesteps(1000)
    reverse = NOISE.child("reverse")
    start = process.Noising(network.alpha_bars()[depth - 1].item(), NOISE.child("forward"))(IMAGES)

    def step(output, level, state, drawn):
        return scheduler.step(output, level, state, eta=eta, variance_noise=drawn).prev_sample

    expected = reverse_with(step, network, depth, start, noises=lambda level: reverse.child(level).normal_like(IMAGES))
    found = DDIM(network, depth, eta=eta).pin(NOISE, SHAPE)(IMAGES)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)  # their levels are float32


def test_implicit_sampling_of_eta_one_is_ancestral_sampling(network) -> None:
    implicit, ancestral = DDIM(network, 30, 7, eta=1, clip=False), DDPM(network, 30, 7, clip=False)
    torch.testing.assert_close(implicit.pin(NOISE, SHAPE)(IMAGES), ancestral.pin(NOISE, SHAPE)(IMAGES))


def test_one_step_of_either_sampler_is_one_shot(network) -> None:
    once = OneShot(network, 30).pin(NOISE, SHAPE)(IMAGES)
    for purifier in (DDPM(network, 30, 1), DDIM(network, 30, 1)):
        torch.testing.assert_close(purifier.pin(NOISE, SHAPE)(IMAGES), once)


def test_hidden_choices_change_the_purifier(network) -> None:
    choices = [
        DDPM(network, 30, 5),
        DDPM(network, 29, 5),
        DDPM(network, 30, 6),
        DDPM(network, 30, 5, clip=False),
        DDPM(network, 30, 5, variance="large"),
        DDPM(network, 30, 5, level_offset=1),
        ReverseOnly(network, 30, 5),
        ReverseOnly(network, 30, 5, rescale=True),
        VPSDE(network, 30, 5),
        ProbabilityFlow(network, 30, 5),
    ]
    answers = [purifier.pin(NOISE, SHAPE)(IMAGES) for purifier in choices]
    gaps = torch.stack([(one - other).abs().max() for place, one in enumerate(answers) for other in answers[:place]])
    assert gaps.min() > 1e-6


def test_fractional_times_reach_the_network(network) -> None:
    state = 2 * IMAGES - 1
    whole, fractional = (process.predicted_noise(network, state, time) for time in (99, 99.9))
    assert not torch.equal(whole, fractional)
    torch.testing.assert_close(process.predicted_noise(network, state, 99.0), whole)


def test_noise_is_drawn_when_a_step_runs_and_not_before(network, monkeypatch) -> None:
    drawn = []
    original = Noise.normal_like
    monkeypatch.setattr(Noise, "normal_like", lambda self, images: drawn.append(self.path) or original(self, images))
    chain = DDPM(network, 4).pin(NOISE, SHAPE)
    assert not drawn
    chain(IMAGES)
    assert [path[-1] for path in drawn] == ["forward", 3, 2, 1]


@pytest.mark.parametrize(("depth", "steps"), [(1, None), (5, 5), (100, 6), (220, 10), (7, 1)])
def test_respaced_levels_fall_from_the_depth_to_the_clean_image(depth, steps) -> None:
    pairs = respaced(depth, steps)
    levels = [level for level, _ in pairs]
    assert levels[0] == depth - 1
    assert levels == sorted(set(levels), reverse=True)
    assert len(levels) == (steps or depth)
    assert [lower for _, lower in pairs] == [*levels[1:], None]


@pytest.mark.parametrize(
    ("purifier", "fields", "message"),
    [
        (DDPM, {"depth": 0}, "DDPM.depth must be a whole time index of at least 1; got 0"),
        (DDPM, {"depth": 0.1}, "DDPM.depth must be a whole time index"),
        (DDIM, {"depth": 10, "steps": 11}, "DDIM.steps must be a whole number between 1 and the depth 10; got 11"),
        (DDPM, {"depth": 10, "variance": "Small"}, "DDPM.variance must be one of"),
        (DDIM, {"depth": 10, "eta": 2}, "DDIM.eta must lie between 0 and 1; got 2"),
    ],
)
def test_wrong_fields_are_named(network, purifier, fields, message) -> None:
    with pytest.raises(ValueError, match=message):
        purifier(network, **fields)


def test_a_depth_beyond_the_schedule_is_refused(network) -> None:
    with pytest.raises(ValueError, match="must stay within the 1000 levels"):
        DDPM(network, 1001, 5).pin(NOISE, SHAPE)


class GaussianPrior:
    """The exact noise predictor of images drawn from N(0, variance), in place of a network."""

    checkpoint = "gaussian"

    def __init__(self, variance: float) -> None:
        self.variance = variance

    def check(self, image_shape) -> None: ...

    def alpha_bars(self):
        return torch.cumprod(1 - torch.linspace(1e-4, 2e-2, 1000, dtype=torch.float64), 0)

    def module(self, device, dtype):
        low, high, count = 0.1, 20.0, 1000

        def predict(state, index):
            time = float(index) / (count - 1)
            signal = (
                self.alpha_bars()[index].item()
                if isinstance(index, int)
                else math.exp(-time * low - time**2 * (high - low) / 2)
            )
            total = signal * self.variance + 1 - signal
            return type("Output", (), {"sample": (1 - signal) ** 0.5 * state / total})

        return predict


def test_one_shot_on_a_gaussian_prior_is_the_posterior_mean() -> None:
    prior, depth = GaussianPrior(0.3), 100
    signal = prior.alpha_bars()[depth - 1].item()
    state = process.Noising(signal, NOISE.child("forward"))(IMAGES)
    shrink = signal**0.5 * prior.variance / (signal * prior.variance + 1 - signal)
    expected = (shrink * state + 1) / 2
    torch.testing.assert_close(OneShot(prior, depth, clip=False).pin(NOISE, SHAPE)(IMAGES), expected)


def test_the_probability_flow_of_a_gaussian_prior_is_its_known_scaling() -> None:
    """The flow preserves quantiles: it scales by the ratio of the marginals' deviations."""
    prior, depth = GaussianPrior(0.3), 200
    signal = prior.alpha_bars()[depth - 1].item()
    state = process.Noising(signal, NOISE.child("forward"))(IMAGES)
    scale = (prior.variance / (signal * prior.variance + 1 - signal)) ** 0.5
    expected = (scale * state + 1) / 2
    errors = [
        (ProbabilityFlow(prior, depth, steps).pin(NOISE, SHAPE)(IMAGES) - expected).abs().max()
        for steps in (25, 50, 200)
    ]
    assert errors[2] < 0.01
    assert errors[0] > errors[1] > errors[2]


def test_the_reverse_sde_keeps_a_gaussian_prior() -> None:
    """Images from the prior, noised and denoised, follow the prior again."""
    prior = GaussianPrior(0.3)
    noise = Noise(0, tuple(range(400)))
    images = (prior.variance**0.5 * noise.child("images").normal_like(torch.zeros(400, 1, 8, 8)).double() + 1) / 2
    for purifier in (VPSDE(prior, 200, 100), DDPM(prior, 200, 100, clip=False)):
        purified = 2 * purifier.pin(noise, SHAPE)(images) - 1
        assert abs(purified.var().item() / prior.variance - 1) < 0.05


def test_the_jacobian_of_a_gaussian_prior_s_one_shot_is_known() -> None:
    prior, depth = GaussianPrior(0.3), 100
    signal = prior.alpha_bars()[depth - 1].item()
    expected = signal * prior.variance / (signal * prior.variance + 1 - signal)
    chain = OneShot(prior, depth, clip=False).pin(NOISE, SHAPE)
    images = IMAGES.clone().requires_grad_()
    chain(images).sum().backward()
    torch.testing.assert_close(images.grad, torch.full_like(IMAGES, expected))
