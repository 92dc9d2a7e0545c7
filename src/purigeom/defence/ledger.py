"""What an attack has cost, image by image, and where its gradients broke."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Ledger:
    """Counts that grow with every query of a target: of purifications, network evaluations and gradients.

    Attributes
    ----------
    purifications
        How often each image went through the purifier, by image id; what a backward pass recomputes is not one.
    evaluations
        How often a network inside the purifier was asked about it, recomputations included.
    gradients
        How often the attacker took a gradient at it; one, however many draws it averages.
    broken
        What was wrong where a gradient was NaN or infinite, by image id: the first time it happened.
    """

    purifications: Counter[int] = field(default_factory=Counter)
    evaluations: Counter[int] = field(default_factory=Counter)
    gradients: Counter[int] = field(default_factory=Counter)
    broken: dict[int, str] = field(default_factory=dict)

    def note(self, image_ids: Sequence[int], purifications: int = 0, evaluations: int = 0, gradients: int = 0) -> None:
        """Add a query of some images; evaluations are of all images together, of which each has the same share."""
        for image_id in image_ids:
            self.purifications[image_id] += purifications
            self.evaluations[image_id] += evaluations // len(image_ids)
            self.gradients[image_id] += gradients

    def add(self, other: "Ledger") -> None:
        """Add what another ledger has counted; where both saw an image break, the first place stays."""
        self.purifications.update(other.purifications)
        self.evaluations.update(other.evaluations)
        self.gradients.update(other.gradients)
        self.broken = other.broken | self.broken
