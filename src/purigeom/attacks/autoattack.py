"""AutoAttack (Croce and Hein 2020), Standard and Rand, as the package pyautoattack runs it.

Departures from the package's defaults: seeds come from each image's noise, not from the clock; images travel one by
one; its robust accuracy, which is one draw's luck behind a random defence, is not read; nor are its warnings; classes
are counted, so that fewer than ten are no error. An image that the package did not find wrong comes back as it was.
"""

import logging
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from torch import Tensor

from purigeom.attacks.ball import check_radius, project
from purigeom.attacks.library import NORMS, classes_of, installed, one_by_one, package
from purigeom.attacks.settings import check_options, titled
from purigeom.defence.module import as_module
from purigeom.defence.target import Target
from purigeom.geometry.displacement import Norm
from purigeom.noise import Noise
from purigeom.protocols import Batch

Suite: TypeAlias = Literal["standard", "rand"]

TARGETS = 9
"""Wrong classes that targeted attacks try, where there are as many."""


@dataclass(frozen=True)
class AutoAttack:
    """Run the package's attacks one after another, each on what the others left.

    Parameters
    ----------
    suite
        "standard": APGD-CE, targeted APGD-DLR, targeted FAB, then Square with 5000 queries, for a defence that answers
        the same twice. "rand": APGD-CE, then APGD-DLR, asking 20 times per gradient, for one that does not: these are
        20 draws where the attacker's knowledge is `Fresh()`, and 20 times the same one where it is `Fixed()`.
    norm
        The norm of the radius.
    """

    version: ClassVar[int] = 1
    suite: Suite = "standard"
    norm: Norm = "linf"

    def __post_init__(self) -> None:
        check_options(self, suite=Suite, norm=Norm)

    @property
    def label(self) -> str:
        return titled(self, f"AutoAttack-{self.suite}", "suite")

    def content(self) -> str:
        """Return the version of the package, which decides its answers."""
        return installed()

    def __call__(self, target: Target, batch: Batch, noise: Noise, radius: float) -> Tensor:
        check_radius(self, self.norm, radius)
        library = package("pyautoattack", self)
        if radius == 0:
            return batch.images
        classes = classes_of(target, batch, self, 4 if self.suite == "standard" else 3)

        def run(target: Target, batch: Batch, seed: int) -> Tensor:
            settings = {"norm": NORMS[self.norm], "version": self.suite, "device": batch.images.device, "seed": seed}
            attacks = library.AutoAttack(as_module(target, batch, radius, self.norm), eps=radius, **settings)
            _adapt(attacks, min(TARGETS, classes - 1))
            found: Tensor = attacks.run_standard_evaluation(batch.images, batch.labels)[0]
            return found

        return project(one_by_one(run, target, batch, noise), batch.images, self.norm, radius)


def _adapt(attacks: Any, targets: int) -> None:
    """Make the package's attacks silent, and cap what the targeted ones try."""
    attacks.verbose = False
    attacks.apgd_targeted.n_target_classes = attacks.fab.n_target_classes = targets
    silent = logging.Logger("auto-attack", level=logging.CRITICAL + 1)
    attacks.logger = attacks.apgd.logger = attacks.apgd_targeted.logger = silent
