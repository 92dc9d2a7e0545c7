"""Claims about purifiers whose networks compute in fewer bits."""

import pytest

from purigeom.catalog import DIGITS_UNET
from purigeom.networks.quick import Quick
from purigeom.purifiers.bit_depth import BitDepth
from purigeom.purifiers.composed import Compose, Repeat
from purigeom.purifiers.diffusion.ddim import OneShot
from purigeom.purifiers.precision import quickened

PLAIN = OneShot(DIGITS_UNET, 30)
QUICK = OneShot(Quick(DIGITS_UNET, "float16"), 30)


@pytest.mark.parametrize(
    ("purifier", "expected"),
    [
        (PLAIN, QUICK),
        (Repeat(PLAIN, 2), Repeat(QUICK, 2)),
        (Compose((BitDepth(), PLAIN)), Compose((BitDepth(), QUICK))),
        (
            Repeat(Compose((PLAIN, BitDepth(), Repeat(PLAIN, 3))), 2),
            Repeat(Compose((QUICK, BitDepth(), Repeat(QUICK, 3))), 2),
        ),
    ],
)
def test_every_diffusion_network_in_a_purifier_is_quick_and_nothing_else_changes(purifier, expected) -> None:
    assert quickened(purifier, "float16") == expected
    assert quickened(purifier, "full") == purifier


@pytest.mark.parametrize("purifier", [BitDepth(), Repeat(BitDepth(), 2), Compose((BitDepth(), BitDepth(3))), QUICK])
def test_a_purifier_without_a_network_to_make_quick_is_named(purifier) -> None:
    with pytest.raises(ValueError, match=r"bfloat16 needs a purifier with a diffusion network that .*; got \w+\("):
        quickened(purifier, "bfloat16")


@pytest.mark.parametrize("purifier", [PLAIN, BitDepth(), Compose((BitDepth(), PLAIN))])
def test_an_unknown_precision_is_named_whatever_the_purifier(purifier) -> None:
    with pytest.raises(ValueError, match=r"precision must be one of \('full', .*\); got 'int8'"):
        quickened(purifier, "int8")
