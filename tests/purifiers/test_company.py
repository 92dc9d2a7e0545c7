"""The claim that a purifier whose networks are steady, or that has none, purifies an image alike in any company."""

import pytest
import torch

from purigeom.catalog import BASELINES, CLASSICAL, DIGITS_DIFFUSION, DIGITS_FIELDS, DIGITS_GUIDED, PURIFIERS
from purigeom.images import Digits
from purigeom.noise import Noise
from purigeom.purifiers.precision import steadied

COUNT, ROWS = 24, 4
SOME = ([*range(12)], [*range(5)], [4, 2, 9], [7])
WITHOUT_NETWORKS = sorted({**BASELINES, **CLASSICAL})
REFUSED = ("digits-adp",)
STEADY = [name for name in {**DIGITS_DIFFUSION, **DIGITS_GUIDED, **DIGITS_FIELDS} if name not in REFUSED]
STEADY += ["digits-anti-adversary", "digits-autoencoder", "digits-disco", "digits-dncnn"]
QUICK = ("digits-adp-ddpm", "digits-anti-adversary", "digits-autoencoder", "digits-disco", "digits-dncnn")
QUICK += ("digits-flow", "digits-freq-pure", "digits-gdmp", "digits-langevin", "digits-one-shot")


def marked(name: str) -> object:
    return pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)


def check_alone(purifier, images) -> None:
    """Raise where one of the images is purified otherwise among some of the others."""
    noise, shape = Noise(0, tuple(range(len(images)))), tuple(images.shape[1:])
    whole = purifier.pin(noise, shape)(images)
    for some in SOME:
        assert torch.equal(purifier.pin(noise[some], shape)(images[some]), whole[some])


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 9, 11), (3, 15, 17)])
@pytest.mark.parametrize("name", WITHOUT_NETWORKS)
def test_without_a_network_an_image_is_purified_alike_whoever_shares_the_batch(name, shape) -> None:
    check_alone(PURIFIERS[name], torch.rand(COUNT, *shape, generator=torch.Generator().manual_seed(0)))


def test_an_image_is_quilted_alike_whoever_shares_the_batch() -> None:
    check_alone(PURIFIERS["digits-quilting"], Digits()[:COUNT].load().images)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in STEADY]
)
def test_with_steady_networks_an_image_is_purified_alike_whoever_shares_the_batch(name) -> None:
    check_alone(steadied(PURIFIERS[name], ROWS), Digits()[:COUNT].load().images)
