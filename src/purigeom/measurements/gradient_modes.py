"""How far other ways of differentiating a purifier are from its exact gradient."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.attacks.losses import LossName, climbing
from purigeom.defence.checks import labels_of
from purigeom.defence.defended import Defended
from purigeom.defence.gradients import BPDA, Exact, Gradient
from purigeom.defence.target import Target
from purigeom.geometry.gradients import cosine, relative_error
from purigeom.measurements.configuration import check_settings, configurations, labelled, refuse_black_box
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier, RandomMap
from purigeom.schema import GRADIENT_COSINE, GRADIENT_ERROR


@dataclass(frozen=True)
class GradientModes:
    """Compare the loss's gradient at clean images, in each mode, with the exact one of the same configuration.

    Parameters
    ----------
    classifier
        The network behind the purifier.
    modes
        What to compare with the exact gradient: `BPDA()`, `Surrogate(5)` where there are steps to leave out, or
        `FullGraph()` to test the exact one itself.
    loss
        The loss whose gradient it is.
    draws
        Number of random configurations.
    """

    version: ClassVar[int] = 2
    label: ClassVar[str] = "gradient-modes"
    classifier: Classifier
    modes: tuple[Gradient, ...] = (BPDA(),)
    loss: LossName = "ce"
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws)
        labels = [mode.label for mode in self.modes]
        if not labels or len(set(labels)) != len(labels):
            msg = f"GradientModes.modes must be at least one, each with a label of its own; got {labels}."
            raise ValueError(msg)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        refuse_black_box(self, purifier)
        defence, loss = Defended(purifier, self.classifier), climbing(self.loss, labels_of(batch))

        def slope(mode: Gradient, pinned: Noise) -> Tensor:
            return Target(defence, pinned, noise.child("attack"), gradient=mode).gradient_known(batch.images, loss)

        pinned = list(configurations(noise, self.draws))
        exact = [slope(Exact(), one) for one in pinned]
        found = [[slope(mode, one) for one in pinned] for mode in self.modes]
        facts = [
            (variable, torch.stack([torch.stack(list(map(compare, slopes, exact))) for slopes in found]))
            for variable, compare in ((GRADIENT_COSINE, cosine), (GRADIENT_ERROR, relative_error))
        ]
        return labelled(facts, batch, self.draws, gradient=[mode.label for mode in self.modes])
