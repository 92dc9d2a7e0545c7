"""Purifiers made of purifiers: one after another, or one several times over."""

from dataclasses import dataclass
from typing import ClassVar

from purigeom.geometry.chain import Chain, as_chain
from purigeom.noise import Noise
from purigeom.protocols import Declaration, Differentiability, RandomMap, declaration
from purigeom.settings import check_counts

_BEST_FIRST: tuple[Differentiability, ...] = ("exact", "unrolled", "piecewise constant", "none")


@dataclass(frozen=True)
class Compose:
    """Purify with every part in turn, each with randomness of its own.

    The network is the one that all parts with a network share, or none; gradients are as good as the worst part's.
    """

    version: ClassVar[int] = 1
    parts: tuple[RandomMap, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            msg = "Compose.parts must hold at least one purifier; got none."
            raise ValueError(msg)

    @property
    def declaration(self) -> Declaration:
        said = [declaration(part) for part in self.parts]
        families = dict.fromkeys(one.family for one in said)
        networks = {one.network for one in said if one.network}
        worst = max((one.differentiability for one in said), key=_BEST_FIRST.index)
        network = networks.pop() if len(networks) == 1 else None
        return Declaration(" then ".join(families), network, worst, said[-1].range)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        pinned = [part.pin(noise.child("part", place), image_shape) for place, part in enumerate(self.parts)]
        return Chain(tuple(step for part in pinned for step in as_chain(part).steps))


@dataclass(frozen=True)
class Repeat:
    """Purify `times` times over, with fresh randomness each time."""

    version: ClassVar[int] = 1
    purifier: RandomMap
    times: int

    def __post_init__(self) -> None:
        check_counts(self, "times")

    @property
    def declaration(self) -> Declaration:
        return declaration(self.purifier)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        return Compose((self.purifier,) * self.times).pin(noise, image_shape)
