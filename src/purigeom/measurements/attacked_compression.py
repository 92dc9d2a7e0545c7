"""How much a purifier compresses the very displacements that attack it, and how much would have been enough."""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.attacks.adversary import Adversary, Attack, told
from purigeom.attacks.ball import check_radius
from purigeom.attacks.pgd import PGD
from purigeom.contract import Checked
from purigeom.defence.checks import labels_of
from purigeom.defence.defended import Defended
from purigeom.defence.ledger import Ledger
from purigeom.defence.target import Target
from purigeom.geometry.compression import stretch
from purigeom.geometry.distances import l2
from purigeom.measurements.attacked import anchored, answers, attacked, bare, targets, unbroken
from purigeom.measurements.bisection import Bisection
from purigeom.measurements.configuration import check_settings, labelled, slug
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier, RandomMap
from purigeom.schema import ATTACK_FAILED, ATTACKED_COMPRESSION, CRITICAL_COMPRESSION


@dataclass(frozen=True)
class AttackedCompression:
    """Attack each pinned defence, then compare the displacement's length before and after purification.

    The attacked images are those of `Survival` with the same attack, radii and noise, and so is `attack_failed`, by
    which the directions of attacks that failed (robust) and succeeded (non-robust) are told apart (arXiv 2505.22839,
    Table 2). The critical compression compares with the boundary of the bare classifier around the anchor, clamped into
    [0, 1], in every direction; it is our reconstruction of Fig. 6.

    Parameters
    ----------
    classifier
        The network behind the purifier.
    radii
        Radii of the attack, in its own norm.
    attack
        An adversary; a bare attack knows the configuration and takes exact gradients.
    draws
        Number of random configurations.
    boundary_attack
        The search, in l2, for the classifier's boundary around the anchor.
    largest
        The largest l2 distance at which it is looked for.
    halvings
        How often the bracket of that distance is halved.
    """

    version: ClassVar[int] = 1
    classifier: Classifier
    radii: tuple[float, ...]
    attack: Attack | Adversary = PGD()
    draws: int = 1
    boundary_attack: Attack = PGD(norm="l2")
    largest: float = 4.0
    halvings: int = 9

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws, halvings=self.halvings)
        for radius in self.radii:
            check_radius(told(self.attack).attack, told(self.attack).attack.norm, radius)
        if self.boundary_attack.norm != "l2":
            msg = f"{type(self).__name__}.boundary_attack must be one in l2; got {self.boundary_attack}. Set its norm."
            raise ValueError(msg)
        _ = self.search

    @property
    def label(self) -> str:
        return f"attacked-compression-{slug(told(self.attack).label)}"

    @property
    def search(self) -> Bisection:
        """Return the search for the boundary around the anchor."""
        return Bisection(self.boundary_attack, self.largest, self.halvings)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        asked = targets(told(self.attack), Defended(purifier, self.classifier), noise, self.draws)
        drawn = [
            self._of_draw(target, batch, noise.child("attack", draw, "anchor")) for draw, target in enumerate(asked)
        ]
        found = [torch.stack(parts, 1)[None] for parts in zip(*drawn, strict=True)]
        facts = list(zip((ATTACKED_COMPRESSION, ATTACK_FAILED, CRITICAL_COMPRESSION), found, strict=True))
        return labelled(facts, batch, self.draws, attack=[told(self.attack).label], radius=self.radii)

    def _of_draw(self, target: Target, batch: Batch, attacker: Noise) -> tuple[Tensor, Tensor, Tensor]:
        """Return one configuration's facts, (radius, image)."""
        anchors = anchored(target.defence.purifier, batch, target.configuration)
        boundary = self.search(bare(self.classifier, attacker), anchors)
        facts = [self._at(replace(target, ledger=Ledger()), batch, radius) for radius in self.radii]
        ratios, failed, lengths = (torch.stack(parts) for parts in zip(*facts, strict=True))
        return ratios, failed, boundary / lengths

    def _at(self, target: Target, batch: Batch, radius: float) -> tuple[Tensor, Tensor, Tensor]:
        """Return how much the attack's displacement is compressed, whether the attack failed, and how long it is."""
        images = attacked(target, told(self.attack).attack, batch, radius)
        purify = Checked(target.defence.purifier).pin(target.configuration, tuple(images.shape[1:]))
        with torch.no_grad():
            ratios = stretch(purify(batch.images), purify(images), images - batch.images)
        failed = answers(target, images).argmax(1) == labels_of(batch).to(ratios.device)
        return unbroken(ratios, target), failed, l2(images, batch.images)
