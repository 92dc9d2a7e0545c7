"""The fast adaptive boundary attack (Croce and Hein, ICML 2020), towards classes, as pyautoattack runs it.

Departures from the package: images travel one by one, in single precision, with seeds from their noise; what it found
beyond the radius comes back as the clean image, and what it found within is projected into the ball once more.
"""

from dataclasses import dataclass
from typing import ClassVar

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
class FAB:
    """Look for the nearest image across the boundary to each of the likeliest wrong classes.

    An image that the package did not find wrong within the radius comes back as it was.

    Parameters
    ----------
    steps
        Number of gradients of every walk.
    norm
        The norm of the radius.
    targets
        Wrong classes, the likeliest first, that it walks towards; of fewer wrong classes, all.
    restarts
        Walks towards every class, the first from the image, the others from random starts.
    """

    version: ClassVar[int] = 1
    steps: int = 100
    norm: Norm = "linf"
    targets: int = 9
    restarts: int = 1

    def __post_init__(self) -> None:
        check_counts(self, "steps", "targets", "restarts")
        check_choices(self, norm=Norm)

    @property
    def label(self) -> str:
        return titled(self, f"FAB-T{self.targets}-{self.steps}", "steps", "targets")

    def content(self) -> str:
        """Return the version of the package, which decides its answers."""
        return installed()

    def __call__(self, target: Target, batch: Batch, noise: Noise, radius: float) -> Tensor:
        check_question(self, batch, radius)
        library = package("pyautoattack.fab_pt", self)
        if radius == 0:
            return batch.images
        targets = min(self.targets, classes_of(target, batch, self, 2) - 1)

        def run(target: Target, batch: Batch, seed: int) -> Tensor:
            settings = {"norm": NORMS[self.norm], "eps": radius, "seed": seed, "device": batch.images.device}
            settings |= {"n_iter": self.steps, "n_restarts": self.restarts, "targeted": True}
            attack = library.FABAttack_PT(
                as_module(target, batch, radius, self.norm), n_target_classes=targets, **settings
            )
            found: Tensor = attack.perturb(batch.images, batch.labels)
            return found

        return project(one_by_one(run, target, batch, noise), batch.images, self.norm, radius)
