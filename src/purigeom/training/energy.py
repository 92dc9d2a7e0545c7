"""Train an energy by contrast with its own Langevin samples (Hill et al. 2021): short runs first, then long ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad

from purigeom.networks.energy import energy
from purigeom.noise import Noise
from purigeom.training.descent import QUIETLY, Run
from purigeom.training.recipe import Recipe, adam, descend, digested


@dataclass(frozen=True)
class Contrast:
    """How samples are drawn that images are contrasted with.

    Parameters
    ----------
    bank
        How many samples are kept from step to step; every step goes on with as many as it shows images, in turn.
    langevin
        Langevin steps that a step of the training takes.
    step, deviation
        Of the Langevin steps; purifying takes larger ones, at the same temperature.
    smoothing
        The deviation of the noise that images are shown under.
    short, restarts
        In this share of the training runs are short: so many of the samples begin anew from uniform noise.
    """

    bank: int = 512
    langevin: int = 20
    step: float = 1.0
    deviation: float = 0.01
    smoothing: float = 0.03
    short: float = 0.5
    restarts: float = 0.1


DEFAULT = Contrast()


class Banked(nn.Module):
    """An energy with its bank of samples, which is kept where its weights are when the training is stopped."""

    bank: Tensor

    def __init__(self, network: nn.Module, bank: Tensor) -> None:
        super().__init__()
        self.energy = network
        self.register_buffer("bank", bank)


def contrastive(
    images: Tensor, settings: Mapping[str, Any], recipe: Recipe, contrast: Contrast = DEFAULT, run: Run = QUIETLY
) -> nn.Module:
    """Train an energy on images in [0, 1]; return it as the last step leaves it: the rate ends at nothing."""
    torch.manual_seed(recipe.seed)  # initial weights; only training uses torch's own generator
    network = energy(**settings)
    bank = _uniform(images[:1].expand(contrast.bank, -1, -1, -1), Noise(recipe.seed, tuple(range(contrast.bank))))
    banked = run.hardware.settle(Banked(network, bank))
    about = f"{contrast} {dict(settings)} {digested(images)}"
    training = adam(banked, recipe, about=about)
    short = round(contrast.short * recipe.steps)

    def loss(chosen: Tensor, noise: Noise) -> Tensor:
        restarts = contrast.restarts if training.step < short else 0.0
        sampled = _sampled(banked, contrast, restarts, training.step, noise)
        clean = run.hardware.place(2 * images[chosen] - 1)
        shown = clean + contrast.smoothing * noise.child("smoothing").normal_like(clean)
        return network(shown).mean() - network(sampled).mean()

    descend(training, loss, recipe, len(images), run)
    return network


def _sampled(banked: Any, contrast: Contrast, restarts: float, number: int, noise: Noise) -> Tensor:
    """Return the samples whose turn it is after some more Langevin steps, and keep them in the bank."""
    count = len(noise.image_ids)
    rows = (torch.arange(count) + number * count) % len(banked.bank)
    state = banked.bank[rows]
    anew = noise.child("restart").uniform_like(state[:, :1, :1, :1]) < 2 * restarts - 1
    state = torch.where(anew, _uniform(state, noise), state)
    weights = {name: weight.detach() for name, weight in banked.energy.named_parameters()}
    slope = grad(lambda asked: functional_call(banked.energy, weights, (asked,)).sum())
    for index in range(contrast.langevin):
        moved = state - contrast.step * slope(state)
        state = moved + contrast.deviation * noise.child("langevin", index).normal_like(state)
    banked.bank[rows] = state
    return state


def _uniform(like: Tensor, noise: Noise) -> Tensor:
    return noise.child("uniform").uniform_like(like)
