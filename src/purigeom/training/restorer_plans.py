"""The networks that give clean images back: those that purigeom ships for digits, and the same for CIFAR-10."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from purigeom.networks.autoencoder import Autoencoder, autoencoder
from purigeom.networks.disco import DISCO, disco
from purigeom.networks.dncnn import DnCNN, dncnn
from purigeom.networks.masked_autoencoder import MaskedAutoencoder, masked_autoencoder
from purigeom.networks.trained import Restorer
from purigeom.protocols import RandomMap
from purigeom.purifiers.masked_reconstruction import MaskedReconstruction
from purigeom.purifiers.reconstruction import Reconstruction
from purigeom.training.losses import Design, LossName
from purigeom.training.recipe import Recipe
from purigeom.training.restorer import Plan

OTHERS: tuple[LossName, ...] = ("purification", "reconstruction", "mlm", "trades pixels", "trades latents")
"""The losses that MAEP's is compared with, on its network."""


def _reconstruction(network: Callable[[str], Restorer]) -> Callable[[str], RandomMap]:
    return lambda checkpoint: Reconstruction(network(checkpoint))


def _masked(checkpoint: str) -> RandomMap:
    return MaskedReconstruction(MaskedAutoencoder(checkpoint))


def _every_loss(maep: Plan) -> dict[str, Plan]:
    return {
        "maep": maep,
        **{f"maep-{loss.replace(' ', '-')}": replace(maep, design=replace(maep.design, loss=loss)) for loss in OTHERS},
    }


def _digits() -> dict[str, Plan]:
    shape: dict[str, Any] = {"channels": 1, "size": 8}
    implicit = {**shape, "blocks": 3, "width": 32, "hidden": [64, 64]}
    transformer = {**shape, "patch": 2, "encoder": [48, 3, 4], "decoder": [32, 2, 4]}
    coded, residual = {**shape, "widths": [32, 64], "code": 3}, {**shape, "depth": 7, "width": 32}
    attacks, noise = Design("purification"), Design("denoising")
    return {
        "disco": Plan(disco, implicit, attacks, Recipe(2000, 2e-3), _reconstruction(DISCO)),
        **_every_loss(Plan(masked_autoencoder, transformer, Design("maep"), Recipe(4000, 2e-3), _masked)),
        "autoencoder": Plan(autoencoder, coded, noise, Recipe(3000, 2e-3), _reconstruction(Autoencoder)),
        "dncnn": Plan(dncnn, residual, noise, Recipe(3000, 2e-3), _reconstruction(DnCNN)),
    }


def _cifar10() -> dict[str, Plan]:
    shape: dict[str, Any] = {"channels": 3, "size": 32}
    implicit = {**shape, "blocks": 16, "width": 64, "hidden": [256] * 4}
    transformer = {**shape, "patch": 2, "encoder": [192, 8, 3], "decoder": [128, 4, 4]}
    coded, residual = {**shape, "widths": [32, 64, 96], "code": 24}, {**shape, "depth": 20, "width": 64}
    attacks, noise = Design("purification"), Design("denoising")
    long = Recipe(15_000, 5e-4, batch=128)
    return {
        "disco": Plan(disco, implicit, attacks, long, _reconstruction(DISCO)),
        **_every_loss(Plan(masked_autoencoder, transformer, Design("maep"), long, _masked)),
        "denoising-autoencoder": Plan(autoencoder, coded, noise, long, _reconstruction(Autoencoder)),
        "dncnn": Plan(dncnn, residual, noise, long, _reconstruction(DnCNN)),
    }


PLANS: Mapping[str, Mapping[str, Plan]] = {"digits": _digits(), "cifar10": _cifar10()}
"""By images and name. For digits a few minutes of one core each; for CIFAR-10 DISCO's published size, and a GPU.

`cifar10-autoencoder` is another one's name, that of the autoencoder which `purigeom.training.cifar` shows attacks.
"""
