"""The Square attack (Andriushchenko et al., ECCV 2020), which asks for no gradient, as pyautoattack runs it."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from purigeom.attacks.ball import check_question, project
from purigeom.attacks.library import NORMS, classes_of, installed, one_by_one, package
from purigeom.attacks.titles import titled
from purigeom.defence.module import as_module
from purigeom.defence.target import Target
from purigeom.geometry.displacement import Norm
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.settings import check_choices, check_counts


@dataclass(frozen=True)
class Square:
    """Paint random squares and keep those that lower the margin.

    It needs nothing of the defence but answers, so it goes with `Withheld()` gradients. As in AutoAttack, its squares
    shrink as for 10,000 queries, however many it has. An image that was not found wrong comes back as it was.

    Parameters
    ----------
    queries
        How often it may ask about an image.
    norm
        The norm of the radius.
    restarts
        Searches from as many random stripes.
    """

    version: ClassVar[int] = 1
    queries: int = 5000
    norm: Norm = "linf"
    restarts: int = 1

    def __post_init__(self) -> None:
        check_counts(self, "queries", "restarts")
        check_choices(self, norm=Norm)

    @property
    def label(self) -> str:
        return titled(self, f"Square-{self.queries}", "queries")

    def content(self) -> str:
        """Return the version of the package, which decides its answers."""
        return installed()

    @torch.no_grad()
    def __call__(self, target: Target, batch: Batch, noise: Noise, radius: float) -> Tensor:
        check_question(self, batch, radius)
        library = package("pyautoattack.square", self)
        if radius == 0:
            return batch.images
        classes_of(target, batch, self, 2)

        def run(target: Target, batch: Batch, seed: int) -> Tensor:
            settings = {"norm": NORMS[self.norm], "eps": radius, "seed": seed, "device": batch.images.device}
            settings |= {"n_queries": self.queries, "n_restarts": self.restarts, "resc_schedule": False}
            attack = library.SquareAttack(as_module(target, batch, radius, self.norm), **settings)
            found: Tensor = attack.perturb(batch.images, batch.labels)
            return found

        return project(one_by_one(run, target, batch, noise), batch.images, self.norm, radius)
