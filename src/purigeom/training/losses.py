"""What a network that gives clean images back is asked to lose least of: the designs that the MAEP paper compares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import torch
from torch import Tensor
from torch.nn.functional import l1_loss, mse_loss

from purigeom.noise import Noise

LossName: TypeAlias = Literal[
    "purification", "reconstruction", "mlm", "trades pixels", "trades latents", "maep", "denoising"
]
MASKED: frozenset[LossName] = frozenset({"mlm", "maep", "trades latents"})
"""The designs that ask a masked autoencoder for more than an answer."""


@dataclass(frozen=True)
class Shown:
    """Clean images, what an attack on the bare classifier made of them, and the randomness of a step."""

    clean: Tensor
    attacked: Tensor
    noise: Noise


@dataclass(frozen=True)
class Design:
    """A loss by name, G the network, E its encoder and M the patches that are visible; distances are mean L1.

    Parameters
    ----------
    loss
        - purification: |G(x_adv) - x|, DISCO's.
        - reconstruction: |G(x) - x|, of clean images alone.
        - mlm: |G(M x) - x|, masked images, clean ones alone.
        - trades pixels: |G(x) - x| + weight |G(x_adv) - G(x)|.
        - trades latents: |G(x) - x| + weight |E(x_adv) - E(x)|.
        - maep: |G(M x_adv) - x|. Purification of what is visible and reconstruction of what is hidden have the same
          target, so that both are one distance; without masks it is the purification loss.
        - denoising: the mean square of G(x + noise) - x, of normal noise; no attack is shown.

        arXiv 2501.16904 gives MAEP's equation and names the others in its table of losses: how it takes the two of
        TRADES, reconstruction and MLM is unpublished, and our reading. It is not the paper's: there, on CIFAR-10 and
        attacks that never saw the network, reconstruction leaves 82.7 % right, MLM 61.5, TRADES in pixels 0.9 and in
        latents 38.2, where ours rank the other way (MODEL_CARD.md): its first two must have seen attacks. Hidden and
        visible patches are asked for in MLM as well, since in use nothing is hidden.
    ratio
        The share of patches hidden in training, where the loss has masks; the paper's is a half.
    weight
        Of the second term of TRADES.
    sigma
        The highest standard deviation of the noise; every image gets one below it, uniformly.
    """

    loss: LossName
    ratio: float = 0.5
    weight: float = 1.0
    sigma: float = 0.25

    def __post_init__(self) -> None:
        if self.loss not in get_args(LossName):
            msg = f"Design.loss must be one of {get_args(LossName)}; got {self.loss!r}."
            raise ValueError(msg)
        if not 0 <= self.ratio < 1:
            msg = f"Design.ratio must be at least 0 and below 1, or nothing is left to see; got {self.ratio!r}."
            raise ValueError(msg)
        if not (self.weight >= 0 and self.sigma > 0):
            msg = f"Design needs a weight of at least 0 and a positive sigma; got {self.weight!r} and {self.sigma!r}."
            raise ValueError(msg)

    def __call__(self, network: Any, shown: Shown) -> Tensor:
        """Return the loss of a network on some images."""
        return _LOSSES[self.loss](network, shown, self)


def _purification(network: Any, shown: Shown, design: Design) -> Tensor:
    del design
    return _distance(network(shown.attacked), shown.clean)


def _reconstruction(network: Any, shown: Shown, design: Design) -> Tensor:
    del design
    return _distance(network(shown.clean), shown.clean)


def _mlm(network: Any, shown: Shown, design: Design) -> Tensor:
    return _distance(_masked(network, shown.clean, shown, design), shown.clean)


def _maep(network: Any, shown: Shown, design: Design) -> Tensor:
    return _distance(_masked(network, shown.attacked, shown, design), shown.clean)


def _trades_pixels(network: Any, shown: Shown, design: Design) -> Tensor:
    answer = network(shown.clean)
    return _distance(answer, shown.clean) + design.weight * _distance(network(shown.attacked), answer)


def _trades_latents(network: Any, shown: Shown, design: Design) -> Tensor:
    latent = network.encode(shown.clean)
    moved = _distance(network.encode(shown.attacked), latent)
    return _distance(network.decode(latent), shown.clean) + design.weight * moved


def _denoising(network: Any, shown: Shown, design: Design) -> Tensor:
    each = torch.ones(len(shown.clean), 1, 1, 1, device=shown.clean.device)
    sigma = design.sigma * (1 + shown.noise.child("sigma").uniform_like(each)) / 2
    noisy = shown.clean + sigma * shown.noise.child("normal").normal_like(shown.clean)
    return mse_loss(network(noisy).float(), shown.clean)


def _masked(network: Any, images: Tensor, shown: Shown, design: Design) -> Tensor:
    answer: Tensor = network(images, network.drawn(shown.noise.child("mask"), images, design.ratio))
    return answer


def _distance(one: Tensor, other: Tensor) -> Tensor:
    return l1_loss(one.float(), other.float())


_LOSSES: Mapping[LossName, Callable[[Any, Shown, Design], Tensor]] = {
    "purification": _purification,
    "reconstruction": _reconstruction,
    "mlm": _mlm,
    "trades pixels": _trades_pixels,
    "trades latents": _trades_latents,
    "maep": _maep,
    "denoising": _denoising,
}
