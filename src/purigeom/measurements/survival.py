"""Which images are still classified right under attack, judged by draws the attacker did and did not know."""

import logging
from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.attacks.adversary import Adversary, Attack, told
from purigeom.attacks.ball import check_radius
from purigeom.attacks.losses import climbing
from purigeom.attacks.pgd import PGD
from purigeom.contract import Checked
from purigeom.defence.checks import labels_of
from purigeom.defence.defended import Defended
from purigeom.defence.gradients import Withheld
from purigeom.defence.judge import correct, verdicts
from purigeom.defence.ledger import Ledger
from purigeom.defence.target import Target
from purigeom.measurements.configuration import check_settings, configurations, labelled, slug
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier, RandomMap
from purigeom.schema import (
    CLASSIFIED,
    GRADIENT_BROKEN,
    GRADIENT_CALLS,
    GRADIENT_VANISHED,
    NETWORK_EVALUATIONS,
    PURIFICATIONS,
    SURVIVED,
    SURVIVED_FRESH,
    SURVIVED_VOTE,
    Variable,
)

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Survival:
    """Attack each pinned defence, then judge what the attack returned; the attack's own opinion counts for nothing.

    Every adversarial image is judged under the configuration itself, under `judgements` configurations that no attacker
    ever saw, and by the vote of their mean logits. From these facts follow the protocols of the literature: the mean
    over fresh draws, the worst of them, the vote, and transfer between configurations.

    Parameters
    ----------
    classifier
        The network behind the purifier.
    radii
        Radii of the attack, in its own norm.
    attack
        An adversary; a bare attack knows the configuration and takes exact gradients.
    draws
        Number of random configurations, each attacked on its own.
    judgements
        Number of fresh configurations that judge each of them.
    """

    version: ClassVar[int] = 2
    classifier: Classifier
    radii: tuple[float, ...]
    attack: Attack | Adversary = PGD()
    draws: int = 1
    judgements: int = 1

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws, judgements=self.judgements)
        for radius in self.radii:
            check_radius(self.adversary.attack, self.adversary.attack.norm, radius)

    @property
    def label(self) -> str:
        return f"survival-{slug(self.adversary.label)}"

    @property
    def adversary(self) -> Adversary:
        """Return who attacks."""
        return told(self.attack)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        drawn = [
            self._of_draw(purifier, batch, pinned, noise.child("judge", draw), noise.child("attack", draw))
            for draw, pinned in enumerate(configurations(noise, self.draws))
        ]
        found = [
            (variable, torch.stack([answers[variable] for answers in drawn], variable.dims.index("draw")))
            for variable in drawn[0]
        ]
        coordinates = {"attack": [self.adversary.label], "radius": self.radii, "judgement": range(self.judgements)}
        return labelled(found, batch, self.draws, **coordinates)

    def _of_draw(
        self, purifier: RandomMap, batch: Batch, pinned: Noise, judge: Noise, attacker: Noise
    ) -> dict[Variable, Tensor]:
        """Return one configuration's facts, without its dimension."""
        judged, labels = Defended(purifier, self.classifier), labels_of(batch)
        clean = correct(Defended(Checked(purifier), self.classifier), batch.images, labels, pinned)
        answers: dict[Variable, list[Tensor]] = {}
        for radius in self.radii:
            ledger = Ledger()
            target = self._target(purifier, pinned, attacker, ledger)
            images = self.adversary.attack(target, batch, attacker.child("search"), radius)
            fresh = [judge.child("judgement", place) for place in range(self.judgements)]
            same, _, silent = verdicts(judged, images, labels, [pinned])
            each, vote, unheard = verdicts(judged, images, labels, fresh)
            _told_broken(ledger, batch, silent | unheard)
            facts = {SURVIVED: same[0], SURVIVED_FRESH: each, SURVIVED_VOTE: vote, **_costs(ledger, batch)}
            for variable, values in facts.items():
                answers.setdefault(variable, []).append(values)
        stacked = {variable: torch.stack(values)[None] for variable, values in answers.items()}
        vanished = self._vanished(purifier, batch, pinned, attacker)
        return {CLASSIFIED: clean, GRADIENT_VANISHED: vanished[None], **stacked}

    def _target(self, purifier: RandomMap, pinned: Noise, attacker: Noise, ledger: Ledger) -> Target:
        defence, adversary = Defended(purifier, self.classifier), self.adversary
        return Target(defence, pinned, attacker, adversary.knowledge, adversary.gradient, ledger)

    def _vanished(self, purifier: RandomMap, batch: Batch, pinned: Noise, attacker: Noise) -> Tensor:
        """Return for which clean images the attacker's gradient is zero; of one who takes none, for none."""
        ledger = Ledger()
        target = self._target(purifier, pinned, attacker, ledger)
        if isinstance(target.gradient, Withheld):
            return torch.zeros(len(batch), dtype=torch.bool)
        _, gradient = target.slope(batch.images, climbing("ce", labels_of(batch)))
        return (gradient == 0).flatten(1).all(1).cpu() & ~_broken(ledger, batch)


def _told_broken(ledger: Ledger, batch: Batch, silent: Tensor) -> None:
    """Enter images without an answer into the ledger, and say what is in it of broken ones."""
    for place in silent.nonzero().flatten().tolist():
        image_id = batch.image_ids[place]
        ledger.broken.setdefault(
            image_id, f"Image {image_id}: what the attack found of it is answered by NaN or infinity."
        )
    for sentence in ledger.broken.values():
        _LOG.warning(sentence)


def _costs(ledger: Ledger, batch: Batch) -> dict[Variable, Tensor]:
    """Return what the attack on every image has cost, and whether a gradient broke on the way."""
    counts = {
        PURIFICATIONS: ledger.purifications,
        NETWORK_EVALUATIONS: ledger.evaluations,
        GRADIENT_CALLS: ledger.gradients,
    }
    return {
        GRADIENT_BROKEN: _broken(ledger, batch),
        **{variable: torch.tensor([count[one] for one in batch.image_ids]) for variable, count in counts.items()},
    }


def _broken(ledger: Ledger, batch: Batch) -> Tensor:
    return torch.tensor([image_id in ledger.broken for image_id in batch.image_ids])
