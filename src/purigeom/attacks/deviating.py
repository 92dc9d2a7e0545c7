"""How far a diffusion purifier's way back is from its way there, carried along its chain."""

from dataclasses import dataclass, field, replace
from math import ceil
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from purigeom.attacks.beside import carried, in_front, row
from purigeom.defence.checks import check_logits
from purigeom.defence.defended import Defended
from purigeom.geometry.chain import Chain, as_chain
from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap, RandomMap, declaration
from purigeom.purifiers.diffusion.process import Denoising, Noising

Weighting: TypeAlias = Literal["equal", "signal"]


@dataclass(frozen=True)
class Deviating:
    """A diffusion purifier whose answer is a row: the purified image, then its deviation.

    The deviation is the mean over sampled steps of the weighted mean squared difference between the state after the
    step and what the forward process, by the same noise, makes of the same image at the same signal level. Both depend
    on the image. The rows of the chain hold state, image and deviation so far: store and replay gives the
    exact gradient of all of it, at the memory of one step.

    Parameters
    ----------
    purifier
        A purifier whose chain says the signal levels of its states.
    sampled
        The noise that says which steps count, image by image.
    share
        How many of the steps count.
    weighting
        Weigh steps equally, or by their signal level.
    """

    purifier: RandomMap
    sampled: Noise = field(repr=False)
    share: float = field(repr=False)
    weighting: Weighting = field(repr=False)

    @property
    def declaration(self) -> Declaration:
        return declaration(self.purifier)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        inner = as_chain(self.purifier.pin(noise, image_shape)).steps
        weights = iter(self._weights(inner, noise).unbind(1))
        steps: list[ImageMap] = [lambda images: row(images, images, torch.zeros_like(images.flatten(1)[:, :1]))]
        forward: Noising | None = None
        for step in inner:
            if isinstance(step, Noising):
                forward = step
                steps.append(_departing(step, image_shape))
            elif isinstance(step, Denoising) and forward is not None:
                level = replace(forward, signal=step.signal)
                steps.append(_compared(step, level, next(weights), image_shape))
            elif isinstance(step, Denoising):
                raise ValueError(self._unknown())
            else:
                steps.append(carried(step, image_shape))
        steps.append(lambda rows: row(in_front(rows, image_shape)[0], rows[:, -1:]))
        return Chain(tuple(steps))

    def _weights(self, steps: tuple[ImageMap, ...], noise: Noise) -> Tensor:
        """Return what every reverse step weighs in the mean, (image, step), zero where it is not sampled."""
        signals = [step.signal for step in steps if isinstance(step, Denoising)]
        if not signals:
            raise ValueError(self._unknown())
        lots = replace(self.sampled, image_ids=noise.image_ids, branches=())
        ranks = lots.uniform_like(torch.empty(len(noise.image_ids), len(signals))).argsort(1).argsort(1)
        count = ceil(self.share * len(signals))
        weights = torch.tensor(signals if self.weighting == "signal" else [1.0] * len(signals), dtype=torch.float64)
        return (ranks < count) * weights / count

    def _unknown(self) -> str:
        return (
            "DiffAttack compares the states of a purifier with those of the forward process: it needs one that noises "
            "the image and says the signal level of every state it denoises to, such as DDPM, DDIM, OneShot, VPSDE or "
            f"ProbabilityFlow; got {self.purifier!r}."
        )


@dataclass(frozen=True)
class Deviated:
    """The classifier of a defence on rows of `Deviating`: logits, then the deviation in the last column."""

    defence: Defended
    image_shape: tuple[int, ...]

    def load(self) -> ImageMap:
        classify = self.defence.classifier.load()

        def logits_and_deviation(rows: Tensor) -> Tensor:
            images, deviation = in_front(rows, self.image_shape)
            logits = classify(images)
            check_logits(logits, self.defence)
            return row(logits, deviation)

        return logits_and_deviation


def _departing(noising: Noising, shape: tuple[int, ...]) -> ImageMap:
    """Return the noising of rows, which remembers the image it noised."""

    def step_of_rows(rows: Tensor) -> Tensor:
        images, _ = in_front(rows, shape)
        return row(noising(images), images, rows[:, -1:])

    return step_of_rows


def _compared(denoising: Denoising, forward: Noising, weight: Tensor, shape: tuple[int, ...]) -> ImageMap:
    """Return the step of rows that adds how far its state is from the forward process's at its level."""
    step = carried(denoising, shape)
    if not weight.any():
        return step

    def step_of_rows(rows: Tensor) -> Tensor:
        state, rest = in_front(step(rows), shape)
        images, deviation = in_front(rest, shape)
        distance = (state - forward(images)).square().flatten(1).mean(1, keepdim=True)
        return row(state, images, deviation + weight.to(rows)[:, None] * distance)

    return step_of_rows
