"""A target as an ordinary `nn.Module`, so that anyone's attack runs on it and gets its gradients.

Attack libraries sub-select, repeat and re-order images and say nothing of which is which. Every row is therefore known
by its nearest clean image, which is certain where balls around clean images do not meet, and where only one image is
attacked. Memory is that of the target: one step's graph, however many steps there are.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from purigeom.cost import evaluations_so_far
from purigeom.defence.target import Query, Target
from purigeom.geometry.displacement import Norm
from purigeom.protocols import Batch

ROUNDING = 1e-4
"""How far beyond the radius rounding may take an attack, relative to it."""
_ORDER = {"linf": torch.inf, "l2": 2.0}


class UnknownImageError(ValueError):
    """Raised where a row cannot be told to be one clean image's and no other's."""


def as_module(target: Target, batch: Batch, radius: float, norm: Norm = "linf") -> nn.Module:
    """Return the map from images in [0, 1] to logits as a module whose rows get the noise of their clean images.

    What the attacker knows decides which configurations are asked. An image's queries are counted row by row, in its
    own order: alone, among others or several times in one batch, it meets the same configurations.

    Parameters
    ----------
    target
        What is attacked, with its knowledge, gradient mode and ledger.
    batch
        The clean images that the target is about.
    radius
        How far from its clean image a row may be; where there is only one image, any distance will do. An attack that
        leaves the ball on its way, as FAB does, needs more than its own radius, or one image at a time.
    norm
        The norm of that radius.
    """
    draws = target.knowledge.draws(target.configuration, target.attacker, 0)
    if len(draws) > 1 and target.knowledge.average == "losses":
        msg = (
            f"as_module cannot serve {target.knowledge!r}: a module gives logits, so that only their mean can be "
            "taken, not that of losses. Use average='logits', or purigeom's own attacks."
        )
        raise ValueError(msg)
    if target.image_ids != batch.image_ids:
        msg = f"as_module needs the target's images {target.image_ids[:5]}...; got {batch.image_ids[:5]}..."
        raise ValueError(msg)
    _check_apart(batch, radius, norm)
    return _View(target, batch, radius, norm).eval()


class _View(nn.Module):
    def __init__(self, target: Target, batch: Batch, radius: float, norm: Norm) -> None:
        super().__init__()
        self.target, self.clean, self.radius, self.norm = target, batch.images, radius, norm
        self.place = nn.Parameter(batch.images.new_empty(0), requires_grad=False)  # tells libraries device and type
        self.asked: Counter[int] = Counter()

    def forward(self, images: Tensor) -> Tensor:
        if not len(images):  # libraries ask about whoever is left
            return torch.as_tensor(self.target.defence.classifier.load()(images))
        chosen = self.target[self._places(images.detach())]
        point = images.view_as(images)
        logits = chosen.answer(point, self._queries(chosen.image_ids)).mean(0)
        if point.requires_grad and logits.requires_grad:
            _meter(chosen, point, logits)
        return logits

    def _places(self, images: Tensor) -> list[int]:
        """Return which clean image every row is nearest to; raise where that is too far to be sure."""
        if len(self.clean) == 1:
            return [0] * len(images)
        distance, places = _distances(images, self.clean, self.norm).min(1)
        row = int(distance.argmax())
        if not distance[row] <= _reach(self.radius):
            msg = (
                f"Row {row} of {len(images)} is {float(distance[row]):.4g} from the nearest clean image, "
                f"{self.target.image_ids[int(places[row])]}; within the {self.norm} radius {self.radius:g} it would be "
                "known by it. Give as_module the largest distance that the attack goes, or one image at a time."
            )
            raise UnknownImageError(msg)
        return places.tolist()

    def _queries(self, image_ids: Sequence[int]) -> Query:
        """Return the number of every row's query: how often its image was asked about before."""
        queries = []
        for image_id in image_ids:
            queries.append(self.asked[image_id])
            self.asked[image_id] += 1
        same = all(one == other for one, other in pairwise(queries))
        return queries[0] if same else queries


def _meter(target: Target, point: Tensor, logits: Tensor) -> None:
    """Count what a backward pass, whenever it comes, asks of networks between logits and images."""
    begun = evaluations_so_far()

    def begin(_cotangent: Tensor) -> None:
        nonlocal begun
        begun = evaluations_so_far()

    def end(_gradient: Tensor) -> None:
        target.ledger.note(target.image_ids, evaluations=evaluations_so_far() - begun, gradients=1)

    logits.register_hook(begin)
    point.register_hook(end)


def _check_apart(batch: Batch, radius: float, norm: Norm) -> None:
    """Raise unless balls of the radius around the clean images are disjoint."""
    distances = _distances(batch.images, batch.images, norm).fill_diagonal_(torch.inf)
    nearest = int(distances.argmin())
    one, other = divmod(nearest, len(batch))
    if not distances[one, other] > 2 * _reach(radius):
        msg = (
            f"Images {batch.image_ids[one]} and {batch.image_ids[other]} are {float(distances[one, other]):.4g} apart: "
            f"what an attack makes of them within the {norm} radius {radius:g} cannot be told apart. Attack one image "
            "at a time, as_module(target[i : i + 1], batch[i : i + 1], radius), or leave one of them out."
        )
        raise UnknownImageError(msg)


def _distances(images: Tensor, clean: Tensor, norm: Norm) -> Tensor:
    exact = "donot_use_mm_for_euclid_dist"  # products of matrices lose more than ROUNDING
    return torch.cdist(images.flatten(1), clean.to(images).flatten(1), p=_ORDER[norm], compute_mode=exact)


def _reach(radius: float) -> float:
    return radius * (1 + ROUNDING) + 1e-6
