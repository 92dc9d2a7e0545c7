"""AutoAttack (Croce and Hein 2020), Standard and Rand, as the package pyautoattack runs it.

Departures from the package's defaults: seeds come from each image's noise, not from the clock; images travel one by
one; its robust accuracy is not read, nor are its warnings; classes are counted, so that fewer than ten are no error.
Standard returns an image that it did not find wrong as it was. Rand's flags are one draw's luck and are not read
either: every image is attacked by both losses, from each the iterate of the highest loss is taken, and of the two the
one with the lower margin, on average over as many draws as a gradient has.
"""

import logging
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

import torch
from torch import Tensor

from purigeom.attacks.ball import better, check_question, project
from purigeom.attacks.library import NORMS, classes_of, installed, one_by_one, package
from purigeom.attacks.losses import climbing
from purigeom.attacks.titles import titled
from purigeom.defence.checks import labels_of
from purigeom.defence.module import as_module
from purigeom.defence.target import Target
from purigeom.geometry.displacement import Norm
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.settings import check_choices

Suite: TypeAlias = Literal["standard", "rand"]

_JUDGED = 2**20
"""The first query of those that compare, beyond all that the package asks."""
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

    version: ClassVar[int] = 2
    suite: Suite = "standard"
    norm: Norm = "linf"

    def __post_init__(self) -> None:
        check_choices(self, suite=Suite, norm=Norm)

    @property
    def label(self) -> str:
        return titled(self, f"AutoAttack-{self.suite}", "suite")

    def content(self) -> str:
        """Return the version of the package, which decides its answers."""
        return installed()

    def __call__(self, target: Target, batch: Batch, noise: Noise, radius: float) -> Tensor:
        check_question(self, batch, radius)
        library = package("pyautoattack", self)
        if radius == 0:
            return batch.images
        classes = classes_of(target, batch, self, 4 if self.suite == "standard" else 3)

        def run(target: Target, batch: Batch, seed: int) -> Tensor:
            settings = {"norm": NORMS[self.norm], "version": self.suite, "device": batch.images.device, "seed": seed}
            attacks = library.AutoAttack(as_module(target, batch, radius, self.norm), eps=radius, **settings)
            _adapt(attacks, min(TARGETS, classes - 1))
            if self.suite == "rand":
                return _strongest(attacks.apgd, target, batch, seed)
            found: Tensor = attacks.run_standard_evaluation(batch.images, batch.labels)[0]
            return found

        return project(one_by_one(run, target, batch, noise), batch.images, self.norm, radius)


def _strongest(apgd: Any, target: Target, batch: Batch, seed: int) -> Tensor:
    """Return what the package's APGD finds by either loss, whichever is further wrong."""
    margin = climbing("cw", labels_of(batch))

    def height(images: Tensor) -> Tensor:
        return torch.stack([target.loss(images, margin, _JUDGED + draw) for draw in range(apgd.eot_iter)]).mean(0)

    torch.manual_seed(seed)
    best, highest = batch.images, batch.images.new_full((len(batch),), -torch.inf)
    for apgd.loss in ("ce", "dlr"):
        found = apgd.perturb(batch.images, batch.labels, best_loss=True)
        with torch.no_grad():
            best, highest = better(best, highest, found, height(found))
    return best


def _adapt(attacks: Any, targets: int) -> None:
    """Make the package's attacks silent, and cap what the targeted ones try."""
    attacks.verbose = False
    attacks.apgd_targeted.n_target_classes = attacks.fab.n_target_classes = targets
    silent = logging.Logger("auto-attack", level=logging.CRITICAL + 1)
    attacks.logger = attacks.apgd.logger = attacks.apgd_targeted.logger = silent
