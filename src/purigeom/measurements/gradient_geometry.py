"""How the gradient of one configuration lies to those of others, and what the pull through the purifier makes of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.attacks.losses import LossName, climbing
from purigeom.defence.checks import labels_of
from purigeom.defence.defended import Defended
from purigeom.defence.gradients import BPDA
from purigeom.defence.knowledge import Fresh
from purigeom.defence.target import Loss, Target
from purigeom.geometry.gradients import cosine, pearson
from purigeom.measurements.configuration import check_settings, configurations, labelled, refuse_black_box
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier, RandomMap
from purigeom.schema import EOT_COSINE, EOT_PEARSON, GRADIENT_NORM, GRADIENT_STRETCH


@dataclass(frozen=True)
class GradientGeometry:
    """Compare the exact gradient of a configuration, at clean images, with means over other configurations.

    The mean over a count of configurations is the gradient that EOT follows, averaging losses; of one it is another
    configuration's own. Larger counts add to the configurations of smaller ones. Against the depth of purifiers, the
    length of the gradient shows where it explodes or vanishes; where one broke, all that it enters is NaN.

    Parameters
    ----------
    classifier
        The network behind the purifier.
    counts
        Numbers of other configurations, in rising order.
    loss
        The loss whose gradient it is.
    draws
        Number of configurations, each compared with the same others.
    """

    version: ClassVar[int] = 2
    label: ClassVar[str] = "gradient-geometry"
    classifier: Classifier
    counts: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)
    loss: LossName = "ce"
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws)
        if not self.counts or self.counts[0] < 1 or any(fewer >= more for fewer, more in pairwise(self.counts)):
            msg = f"GradientGeometry.counts must be whole numbers that rise from at least 1; got {self.counts!r}."
            raise ValueError(msg)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        refuse_black_box(self, purifier)
        loss, defence = climbing(self.loss, labels_of(batch)), Defended(purifier, self.classifier)
        targets = [Target(defence, pinned, noise.child("attack")) for pinned in configurations(noise, self.draws)]
        own = torch.stack([target.gradient_known(batch.images, loss) for target in targets])
        behind = torch.stack([_behind(target, batch.images, loss) for target in targets])
        others = Target(defence, targets[0].configuration, noise.child("attack"), Fresh())
        means = list(self._means(others, batch.images, loss))
        compared = [
            (variable, torch.stack([torch.stack([compare(mean, one) for one in own]) for mean in means]))
            for variable, compare in ((EOT_COSINE, cosine), (EOT_PEARSON, pearson))
        ]
        norm = own.flatten(2).double().norm(dim=2)
        lengths = [(GRADIENT_NORM, norm), (GRADIENT_STRETCH, norm / behind.flatten(2).double().norm(dim=2))]
        return labelled([*compared, *lengths], batch, self.draws, count=self.counts)

    def _means(self, others: Target, images: Tensor, loss: Loss) -> Iterator[Tensor]:
        """Yield the mean gradient of as many other configurations as each count says."""
        total = torch.zeros_like(images, dtype=torch.float64)
        for query in range(self.counts[-1]):
            total += others.gradient_known(images, loss, query)
            if query + 1 in self.counts:
                yield total / (query + 1)


def _behind(target: Target, images: Tensor, loss: Loss) -> Tensor:
    """Return the classifier's own gradient where the purifier puts the images."""
    return replace(target, gradient=BPDA()).gradient_known(images, loss)
