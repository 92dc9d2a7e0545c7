"""Which derivatives an attacker takes through a purifier: each a description that is stored with the result."""

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, ClassVar, Protocol, get_args, runtime_checkable

import torch
from torch import Tensor

from purigeom.geometry.chain import as_chain
from purigeom.networks.quick import Precision, with_quick_networks
from purigeom.noise import Noise
from purigeom.protocols import ImageMap, RandomMap, declaration


@runtime_checkable
class Gradient(Protocol):
    """A way to differentiate a purifier."""

    @property
    def label(self) -> str:
        """Return the word under which results are stored and drawn."""
        ...

    def pin(self, purifier: RandomMap, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        """Return the purifier, pinned, as autograd shall see it."""
        ...


@dataclass(frozen=True)
class Exact:
    """The pinned map's own gradient; of a chain by store and replay, at the memory of one step."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "exact"

    def pin(self, purifier: RandomMap, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        if declaration(purifier).differentiability == "none":
            msg = (
                f"{purifier!r} declares differentiability 'none': there is no exact gradient to attack with. BPDA() "
                "takes the identity's instead, Unaware() the bare classifier's, and Square needs none."
            )
            raise ValueError(msg)
        return purifier.pin(noise, image_shape)


@dataclass(frozen=True)
class BPDA:
    """Backward pass differentiable approximation (Athalye et al. 2018): purify forward, the identity backward."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "bpda"

    def pin(self, purifier: RandomMap, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        withheld = Withheld().pin(purifier, noise, image_shape)
        return lambda images: withheld(images) + (images - images.detach())


@dataclass(frozen=True)
class Withheld:
    """No gradient at all: for attacks that only ask for answers."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "no gradient"

    def pin(self, purifier: RandomMap, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        image_map = purifier.pin(noise, image_shape)

        @torch.no_grad()
        def purify(images: Tensor) -> Tensor:
            return image_map(images.detach()).detach()

        return purify


@dataclass(frozen=True)
class Surrogate:
    """A coarser chain of the same depth, values and gradients (Lee and Kim 2023); judged on the fine one.

    Noise belongs to levels, of which coarse and fine chains share few beyond the first and the last: a surrogate of a
    known configuration shares the noise that the image is given, and little of what is added on the way back.

    Parameters
    ----------
    steps
        Denoising steps of the coarser chain.
    """

    version: ClassVar[int] = 1
    steps: int = 5

    def __post_init__(self) -> None:
        if not isinstance(self.steps, int) or self.steps < 1:
            msg = f"Surrogate.steps must be a whole number of at least 1; got {self.steps!r}."
            raise ValueError(msg)

    @property
    def label(self) -> str:
        return f"surrogate({self.steps})"

    def pin(self, purifier: RandomMap, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        return Exact().pin(self.coarser(purifier), noise, image_shape)

    def coarser(self, purifier: RandomMap) -> RandomMap:
        """Return the purifier, or what it is composed of, with fewer steps; raise where there are none to leave out."""
        coarse = _with_steps(purifier, self.steps)
        if coarse == purifier:
            msg = (
                f"{self!r} needs a purifier with a depth and more than {self.steps} steps, such as DDPM; got "
                f"{purifier!r}. Take fewer steps, or Exact()."
            )
            raise ValueError(msg)
        return coarse


def _with_steps(thing: Any, steps: int) -> Any:
    """Return a description in which every chain of more steps has so many, and all else is as it was."""
    if isinstance(thing, tuple):
        return tuple(_with_steps(part, steps) for part in thing)
    if not isinstance(thing, RandomMap) or not is_dataclass(thing) or isinstance(thing, type):
        return thing
    parts = {field.name: getattr(thing, field.name) for field in fields(thing) if field.init}
    if {"steps", "depth"} <= set(parts):
        return replace(thing, steps=min(steps, parts["steps"] or parts["depth"]))
    return replace(thing, **{name: _with_steps(part, steps) for name, part in parts.items()})


@dataclass(frozen=True)
class FewerBits:
    """The same purifier with diffusion networks in half precision, values and gradients; judged in full precision."""

    version: ClassVar[int] = 1
    precision: Precision = "bfloat16"

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision) or self.precision == "full":
            msg = f"FewerBits.precision must be 'bfloat16' or 'float16'; got {self.precision!r}."
            raise ValueError(msg)

    @property
    def label(self) -> str:
        return f"exact in {self.precision}"

    def pin(self, purifier: RandomMap, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        quick: RandomMap = with_quick_networks(purifier, self.precision)
        if quick == purifier:
            msg = (
                f"{self!r} needs a purifier with a diffusion network that is not quick already; got {purifier!r}. "
                "Take Exact()."
            )
            raise ValueError(msg)
        return Exact().pin(quick, noise, image_shape)


@dataclass(frozen=True)
class FullGraph:
    """Autograd's graph of all steps at once: the reference for `Exact`, at a memory that grows with the steps."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "full graph"

    def pin(self, purifier: RandomMap, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        chain = as_chain(Exact().pin(purifier, noise, image_shape))
        return lambda images: chain.states(images)[-1]
