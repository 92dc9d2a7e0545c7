"""Claims about noise levels between a schedule's own."""

import math

import pytest
import torch

from purigeom.networks.diffusion import schedule
from purigeom.networks.diffusion.architecture import Architecture
from purigeom.networks.diffusion.edm import EDM
from purigeom.networks.diffusion.score_sde import ScoreSDE
from purigeom.networks.quick import Quick
from purigeom.purifiers.diffusion.levels import by_deviation, denoiser
from tests.priors import GaussianPrior

SHAPE = (1, 4, 4)
PRIOR = GaussianPrior(0.3)
NOISY = torch.rand(3, *SHAPE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("deviation", [0.0101, 0.05, 0.5, 3.0, 100.0])
def test_the_denoiser_of_a_gaussian_prior_is_its_posterior_mean(deviation):
    expected = PRIOR.variance / (PRIOR.variance + deviation**2) * NOISY
    torch.testing.assert_close(denoiser(PRIOR, SHAPE)(NOISY, deviation), expected)


def test_a_level_of_the_schedule_is_asked_for_by_its_whole_index():
    clean = denoiser(PRIOR, SHAPE)
    indices = [clean.index(clean.deviations[level]) for level in (0, 7, 999)]
    assert indices == [0, 7, 999]
    assert all(isinstance(index, int) for index in indices)


def test_halfway_between_two_levels_lies_the_mean_of_their_logarithms():
    clean = denoiser(PRIOR, SHAPE)
    assert clean.index(math.sqrt(clean.deviations[41] * clean.deviations[42])) == pytest.approx(41.5)


@pytest.mark.parametrize("kind", [EDM, ScoreSDE, lambda file, sizes: Quick(EDM(file, sizes))])
@pytest.mark.parametrize("deviation", [0.011, 0.05, 0.5, 30.0])
def test_a_network_of_the_vp_sde_is_asked_where_the_sde_has_that_signal(kind, deviation):
    """Nothing of its file is read for that."""
    network = kind("missing.pt", Architecture(size=4, width=8, multipliers=(1,), blocks=1, attention=(), channels=1))
    index = denoiser(network, SHAPE).index(deviation)
    assert schedule.signal(index) == pytest.approx(1 / (1 + deviation**2), rel=1e-9)
    assert index == pytest.approx(denoiser(PRIOR, SHAPE).index(deviation), abs=3)  # sums are not quite integrals


@pytest.mark.parametrize("deviation", [0.0099, 158.0, math.nan])
def test_a_deviation_outside_the_schedule_is_refused(deviation):
    with pytest.raises(ValueError, match=r"must lie between 0.01 and 157.4"):
        denoiser(PRIOR, SHAPE)(NOISY, deviation)


def test_images_of_different_deviations_are_denoised_as_each_alone():
    clean, deviations = denoiser(PRIOR, SHAPE), [0.5, 0.2, 0.5]
    together = by_deviation(clean, NOISY, deviations)
    alone = [clean(image[None], deviation) for image, deviation in zip(NOISY, deviations, strict=True)]
    torch.testing.assert_close(together, torch.cat(alone))
