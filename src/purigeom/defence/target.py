"""A defence as its attacker may ask it: query by query, with declared draws, every question counted."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import torch
from torch import Tensor

from purigeom.cost import counted
from purigeom.defence.checks import BEHIND, check_logits, where_broken
from purigeom.defence.defended import Defended
from purigeom.defence.gradients import Exact, Gradient
from purigeom.defence.knowledge import Fixed, Knowledge
from purigeom.defence.ledger import Ledger
from purigeom.geometry.displacement import per_image
from purigeom.geometry.memory import in_parts, out_of_memory
from purigeom.noise import Noise, joined
from purigeom.protocols import ImageMap

_LOG = logging.getLogger(__name__)

Loss: TypeAlias = Callable[[Tensor], Tensor]
"""From logits (image, class) to one loss per image: what an attack climbs."""
Query: TypeAlias = int | Sequence[int]
"""The number of a question, of all images or of every row its own."""

PIXELS_AT_ONCE = 2**18
"""How many numbers of images travel together on a CPU: larger batches no longer fit its caches."""


@dataclass(frozen=True)
class Target:
    """Answer an attacker's queries.

    The same query gives the same answer, in any order and for any part of the images: noise belongs to image,
    query and draw. Draws travel as one batch as far as memory goes, and through one step's graph at a time.

    Parameters
    ----------
    defence
        The purifier and the classifier behind it.
    configuration
        The noise of the configuration that is judged.
    attacker
        The noise that an attacker draws other configurations from.
    knowledge
        Which of them it asks.
    gradient
        How it differentiates the purifier.
    ledger
        Where its queries are counted.
    pixels_at_once
        How many numbers of images travel together; where memory runs out, half as many.
    """

    defence: Defended
    configuration: Noise
    attacker: Noise
    knowledge: Knowledge = Fixed()
    gradient: Gradient = Exact()
    ledger: Ledger = field(default_factory=Ledger, repr=False, compare=False)
    pixels_at_once: int = PIXELS_AT_ONCE

    @property
    def image_ids(self) -> tuple[int, ...]:
        """Return the ids of the images that it is asked about."""
        return self.configuration.image_ids

    def __getitem__(self, places: slice | Sequence[int]) -> "Target":
        """Return the target for some of the images; they get the answers that they get among all."""
        return replace(self, configuration=self.configuration[places], attacker=self.attacker[places])

    def repeat(self, times: int) -> "Target":
        """Return the target for a batch that holds every image `times` times over, block after block."""
        return replace(self, configuration=self.configuration.repeat(times), attacker=self.attacker.repeat(times))

    def purified(self, images: Tensor, query: Query = 0) -> Tensor:
        """Return what every draw of a query makes of the images, (draw, *images), differentiable."""
        return self._drawn(images, query, lambda purified: purified)

    def answer(self, images: Tensor, query: Query = 0) -> Tensor:
        """Return the logits of every draw of a query, (draw, image, class), differentiable."""
        classify = self.defence.classifier.load()

        def logits(purified: Tensor) -> Tensor:
            found = classify(purified)
            check_logits(found, self.defence)
            return found

        return self._drawn(images, query, logits)

    @torch.no_grad()
    def logits(self, images: Tensor, query: Query = 0) -> Tensor:
        """Return the logits of every draw of a query, (draw, image, class)."""
        return self.answer(images, query)

    def loss(self, images: Tensor, loss: Loss, query: Query = 0) -> Tensor:
        """Return every image's loss over the draws of a query, as the attacker averages it; differentiable."""
        return self._averaged(self.answer(images, query), loss)

    def slope(self, images: Tensor, loss: Loss, query: Query = 0) -> tuple[Tensor, Tensor]:
        """Return every image's loss and its gradient.

        Where one of them is NaN or infinite the image goes into the ledger with the place it happened at, gets the
        least of losses and no gradient, and does not keep others from theirs.
        """
        attempt = replace(self, ledger=Ledger())
        try:
            losses, gradient = attempt._differentiated(images, loss, query)
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error) or self.pixels_at_once <= images[0].numel():
                raise
            return replace(self, pixels_at_once=self.pixels_at_once // 2).slope(images, loss, query)
        self.ledger.add(attempt.ledger)
        broken = ~(losses.isfinite() & gradient.flatten(1).isfinite().all(1))
        if broken.any():
            self._name_broken(images, loss, query, broken)
        return losses.masked_fill(broken, -torch.inf), gradient.masked_fill(per_image(broken, images), 0)

    def gradient_known(self, images: Tensor, loss: Loss, query: Query = 0) -> Tensor:
        """Return the gradient of every image's loss, NaN where it broke: for who measures it rather than climbs."""
        alone = replace(self, ledger=Ledger())
        _, gradient = alone.slope(images, loss, query)
        broken = [image_id in alone.ledger.broken for image_id in self.image_ids]
        for sentence in alone.ledger.broken.values():
            _LOG.warning(sentence)
        return gradient.masked_fill(per_image(torch.tensor(broken, device=images.device), images), torch.nan)

    def _draws(self, query: Query) -> tuple[Noise, ...]:
        """Return the noise of every draw of a query; of a query per row, row by row."""
        if isinstance(query, int):
            return self.knowledge.draws(self.configuration, self.attacker, query)
        rows = [self[[row]]._draws(one) for row, one in enumerate(query)]
        return tuple(joined(draw) for draw in zip(*rows, strict=True))

    def _drawn(self, images: Tensor, query: Query, then: ImageMap) -> Tensor:
        """Return what becomes of the images in every draw of a query, part by part."""
        draws = self._draws(query)
        if not draws:
            return then(images).unsqueeze(0)
        stream, rows = joined(draws), images.repeat(len(draws), *[1] * (images.dim() - 1))
        shape = tuple(images.shape[1:])

        def of_part(part: slice) -> tuple[Tensor, int]:
            with counted() as evaluations:
                purified = self.gradient.pin(self.defence.purifier, stream[part], shape)(rows[part])
            return then(purified), evaluations.count

        answers, counts = zip(
            *in_parts(of_part, len(rows), max(1, self.pixels_at_once // images[0].numel())), strict=True
        )
        self.ledger.note(self.image_ids, purifications=len(draws), evaluations=sum(counts))
        return torch.cat(answers).unflatten(0, (len(draws), len(images)))

    def _averaged(self, logits: Tensor, loss: Loss) -> Tensor:
        if self.knowledge.average == "logits":
            return loss(logits.mean(0))
        return torch.stack([loss(drawn) for drawn in logits]).mean(0)

    @torch.enable_grad()
    def _differentiated(self, images: Tensor, loss: Loss, query: Query) -> tuple[Tensor, Tensor]:
        point = images.detach().requires_grad_()
        losses = self.loss(point, loss, query)
        if not losses.requires_grad:
            msg = (
                f"An attack by gradients needs a defence that gives one; {self.defence!r} under {self.gradient!r} cut "
                "the graph (no_grad or detach). Take BPDA(), or an attack that asks for none, such as Square."
            )
            raise ValueError(msg)
        with counted() as evaluations:
            (gradient,) = torch.autograd.grad(losses.sum(), point)
        self.ledger.note(self.image_ids, evaluations=evaluations.count, gradients=1)
        return losses.detach(), gradient

    def _name_broken(self, images: Tensor, loss: Loss, query: Query, broken: Tensor) -> None:
        """Write into the ledger where every broken image's gradient broke, by the first draw that breaks."""
        apart, classify = replace(self, ledger=Ledger()), self.defence.classifier.load()
        with torch.enable_grad():
            purified = apart.purified(images, query).detach().requires_grad_()
            logits = classify(purified.flatten(0, 1)).unflatten(0, purified.shape[:2])
            (cotangents,) = torch.autograd.grad(self._averaged(logits, loss).sum(), purified)
        draws, shape = self._draws(query), tuple(images.shape[1:])
        for place in broken.nonzero().flatten().tolist():
            one, image_id = slice(place, place + 1), self.image_ids[place]
            pinned = (self.gradient.pin(self.defence.purifier, noise[one], shape) for noise in draws)
            # without draws there is the cotangent of the bare classifier, and no purifier to break
            found = (where_broken(*maps, images[one]) for maps in zip(pinned, cotangents[:, one], strict=False))
            where = next(filter(None, found), BEHIND)
            said = f"Image {image_id}: NaN or infinity {where}, behind {self.defence.purifier!r}."
            self.ledger.broken.setdefault(image_id, said)
