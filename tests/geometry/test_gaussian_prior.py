"""With a Gaussian prior the ideal denoiser is linear, so the Jacobian of the whole chain is known in closed form."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.spectrum.adaptive import Tolerance, partial_spectrum
from purigeom.geometry.spectrum.exact import dense, singular_values
from purigeom.noise import Noise
from purigeom.purifiers.diffusion.ddim import DDIM
from purigeom.purifiers.diffusion.ddpm import DDPM

SHAPE = (1, 8, 8)
SIZE = 64
VARIANCES = torch.logspace(0.5, -4, SIZE, dtype=torch.float64)
"""Of the prior's principal components: images vary in few directions."""
AXES = torch.linalg.qr(torch.randn(SIZE, SIZE, generator=torch.Generator().manual_seed(5), dtype=torch.float64))[0]
LEVELS = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), 0)
NOISE = Noise(0, (2, 5, 9))
IMAGES = (1 + NOISE.uniform_like(torch.zeros(3, *SHAPE, dtype=torch.float64))) / 2


@dataclass(frozen=True)
class Answer:
    sample: torch.Tensor


class Ideal(nn.Module):
    """Predict the noise of x = sqrt(a) x0 + sqrt(1 - a) e for normal x0: its mean given x."""

    def forward(self, state, index):
        level = LEVELS[int(index)]
        shrink = (1 - level).sqrt() / (level * VARIANCES + 1 - level)
        return Answer((state.flatten(1) @ (AXES * shrink) @ AXES.T).reshape(state.shape))


@dataclass(frozen=True)
class GaussianPrior:
    checkpoint: str = "ideal denoiser of a Gaussian prior"

    def check(self, image_shape):
        assert image_shape == SHAPE

    def alpha_bars(self):
        return LEVELS

    def module(self, device, dtype):
        return Ideal()


def gains(depth):
    """Return the factor of every principal component through unclipped ancestral sampling."""
    gain = LEVELS[depth - 1].sqrt() * torch.ones(SIZE, dtype=torch.float64)
    for level in range(depth - 1, -1, -1):
        here, below = LEVELS[level], LEVELS[level - 1] if level else torch.tensor(1.0, dtype=torch.float64)
        guess = here.sqrt() * VARIANCES / (here * VARIANCES + 1 - here)
        step_variance = 1 - here / below
        gain *= below.sqrt() * step_variance / (1 - here) * guess + (here / below).sqrt() * (1 - below) / (1 - here)
    return gain


@pytest.mark.parametrize("depth", [1, 20, 100])
def test_the_jacobian_of_ancestral_sampling_is_the_known_one(depth) -> None:
    purifier = DDPM(GaussianPrior(), depth=depth, clip=False)
    jacobian = Jacobian(purifier.pin(NOISE, SHAPE), IMAGES)
    expected = (AXES * gains(depth)) @ AXES.T
    torch.testing.assert_close(dense(jacobian).values, expected.expand(3, -1, -1), rtol=0, atol=1e-12)
    pulled = jacobian.pull(torch.eye(SIZE, dtype=torch.float64).expand(3, -1, -1))
    torch.testing.assert_close(pulled, expected.T.expand(3, -1, -1), rtol=0, atol=1e-12)


def test_its_spectrum_is_found_from_products_alone() -> None:
    jacobian = Jacobian(DDPM(GaussianPrior(), depth=30, clip=False).pin(NOISE, SHAPE), IMAGES)
    known = gains(30).abs().sort(descending=True).values
    found = partial_spectrum(jacobian, NOISE, Tolerance(count=8))
    torch.testing.assert_close(found.leading.value, known[:8].expand(3, -1), rtol=1e-6, atol=0)
    assert ((found.share.value - (known < 0.25).double().mean()).abs() <= 3 * found.share.error).all()
    torch.testing.assert_close(singular_values(jacobian), known.expand(3, -1), rtol=1e-10, atol=1e-13)


def test_deeper_purification_compresses_the_directions_in_which_images_do_not_vary() -> None:
    shallow, deep = (
        dense(Jacobian(DDIM(GaussianPrior(), depth=depth, clip=False).pin(NOISE, SHAPE), IMAGES)).values
        for depth in (10, 100)
    )
    across = AXES[:, -32:].expand(3, -1, -1)
    assert ((deep @ across).norm(dim=1) < (shallow @ across).norm(dim=1)).all()
