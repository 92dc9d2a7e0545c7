"""The claim that what a steady purifier and classifier are asked in memory depends on no other image, bit for bit."""

from collections.abc import Sequence

import pytest
import xarray as xr

from purigeom.catalog import DIGITS_UNET, PURIFIERS
from purigeom.images import Digits
from purigeom.measurements.steadiness import Steadiness
from purigeom.noise import Noise
from purigeom.protocols import Measurement, RandomMap
from purigeom.purifiers.diffusion.ddim import OneShot
from purigeom.purifiers.precision import steadied
from purigeom.questions import Asked, known_measurements

ROWS = 4
RADII = (0.1, 0.2)
ASKED = known_measurements(Asked((), "digits", "pgd-linf", "uniform", RADII, 1, rows_at_once=ROWS), Digits("train"))
"""As the command line asks, with its usual numbers of probes, points and steps."""
LONG = ("attacked-compression", "boundary-slice", "gradient-geometry", "minimal-perturbation")
RESTORER = steadied(PURIFIERS["digits-autoencoder"], ROWS)
DENOISER = steadied(OneShot(DIGITS_UNET, depth=100), 16)


def check_alone(purifier: RandomMap, asked: Measurement, sizes: Sequence[int]) -> None:
    """Raise where one of the first images' facts is another with fewer images than the first size."""
    most, *fewer = sizes
    batch = Digits()[:most].load()
    noise = Noise(0, batch.image_ids)

    def answered(size: int) -> xr.Dataset:
        return asked(purifier, batch[slice(0, size)], noise[slice(0, size)])

    whole = answered(most)
    for size in fewer:
        xr.testing.assert_identical(answered(size), whole.isel(image=slice(0, size)))


def marked(name: str) -> object:
    return pytest.param(name, marks=pytest.mark.slow if name in LONG else ())


@pytest.mark.parametrize("name", [marked(name) for name in ASKED])
def test_every_question_s_facts_are_the_same_whoever_shares_the_batch(name) -> None:
    check_alone(RESTORER, ASKED[name], (12, 5, 1))


def test_margins_along_many_pairs_are_the_same_whoever_shares_the_batch() -> None:
    assert ASKED["margins"].pairs == 8
    check_alone(DENOISER, ASKED["margins"], (64, 19, 7, 5, 3, 1))


def test_steadiness_is_the_same_whoever_shares_the_batch() -> None:
    check_alone(RESTORER, Steadiness(RADII), (40, 7, 1))
