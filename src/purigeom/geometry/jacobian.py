"""The Jacobian of an image map as a linear operator: products with it, never the matrix."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from purigeom.geometry.chain import REPLAY_TOLERANCE, Chain, as_chain
from purigeom.geometry.forward import Route
from purigeom.geometry.memory import default_budget, in_parts, peak_bytes
from purigeom.geometry.through import NotFiniteError, pull_through, push_through, route
from purigeom.protocols import ImageMap

Through: TypeAlias = Callable[[Chain, list[Tensor], Tensor, float], Tensor]

PUSH_WORKSPACE = 2.0
"""Bytes a pushed vector needs, over those a step needs for one image: its row, and what rules set aside."""
PULL_WORKSPACE = 3.0
"""The same for a pulled vector, whose gradients live beside the graph."""
NARROW_TOLERANCE = 0.1
"""Largest gap between a state and its recomputation by a network in half precision."""


@dataclass(frozen=True)
class Jacobian:
    """The block-diagonal Jacobian of `image_map` at `images`, one block per image.

    Vectors have shape (image, dimension, vector). The states of a chain are computed once; `push` carries
    tangents forward through stacked duals, `pull` replays the stored states backward. No product holds more
    than one step in memory, and vectors travel in as many parts as the memory asks for.

    Parameters
    ----------
    image_map
        A deterministic map of images, best a chain.
    images
        Where it is differentiated.
    memory
        Bytes that products may take; a share of what is free unless given.
    narrow
        Type in which networks compute, such as `torch.bfloat16`, while states and tangents keep theirs; faster
        on hardware for it, and off by parts in a thousand.
    image_ids
        What errors call the images; their places unless given.

    Examples
    --------
    >>> halving = Jacobian(lambda x: x / 2, torch.zeros(1, 1, 2, 2))
    >>> halving.push(torch.ones(1, 4, 1)).unique()
    tensor([0.5000])
    """

    image_map: ImageMap
    images: Tensor
    memory: int | None = None
    narrow: torch.dtype | None = None
    image_ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.images):
            msg = f"Jacobian needs at least one image; got images of shape {tuple(self.images.shape)}."
            raise ValueError(msg)
        if self.narrow is not None and self.images.dtype == torch.float64:
            msg = (
                f"Jacobian.narrow={self.narrow} changes nothing for torch.float64 images, which torch.autocast leaves "
                "as they are. Take images in float32, or networks in full precision."
            )
            raise ValueError(msg)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the number of images, of rows and of columns."""
        images = len(self.images)
        return images, self.states[-1].numel() // images, self.images.numel() // images

    @property
    def like(self) -> Tensor:
        """Return the images: products have their type and place."""
        return self.images

    @property
    def states(self) -> list[Tensor]:
        """Return the state before every step and after the last."""
        return self._anchored[0]

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """Return how tangents pass each step."""
        with torch.no_grad(), self._arithmetic() as tolerance:
            return route(self._chain, self.states, tolerance)

    def push(self, tangents: Tensor) -> Tensor:
        """Apply J to vectors of shape (image, column, vector)."""
        with torch.no_grad():
            return self._product(tangents, self.images.shape[1:], PUSH_WORKSPACE, push_through)

    def pull(self, cotangents: Tensor) -> Tensor:
        """Apply J transposed to vectors of shape (image, row, vector)."""
        with torch.no_grad():  # torch.func differentiates all the same, and keeps no graph of the derivative
            return self._product(cotangents, self.states[-1].shape[1:], PULL_WORKSPACE, pull_through)

    def vectors_at_once(self, workspace: float = PUSH_WORKSPACE) -> int:
        """Return how many vectors of every image fit the memory."""
        return max(1, int(self._memory / (workspace * self._anchored[1])) - 1)

    def images_at_once(self, vectors: int) -> int:
        """Return how many images fit the memory with so many vectors each, of the kind that are here."""
        each = self._anchored[1] / len(self.images)
        return max(1, int(self._memory / (PULL_WORKSPACE * each * (vectors + 1))))

    @property
    def _memory(self) -> int:
        return default_budget(self.images.device) if self.memory is None else self.memory

    @property
    def _chain(self) -> Chain:
        return as_chain(self.image_map)

    @cached_property
    def _anchored(self) -> tuple[list[Tensor], int]:
        """Return the states, and the most bytes that tensors made by one step hold."""
        states, most = [self.images], self.images.nbytes
        with torch.no_grad():
            for index, step in enumerate(self._chain.steps):
                state, needed = peak_bytes(partial(step, states[-1].detach()))
                _check_state(state, len(self.images), f"Step {index + 1} of {len(self._chain.steps)}")
                states.append(state.detach())  # a step that asks for gradients by itself leaves none behind
                most = max(most, needed)
        return states, most

    def _product(self, vectors: Tensor, shape: torch.Size, workspace: float, through: Through) -> Tensor:
        images, count = len(self.images), vectors.shape[-1]
        if vectors.dim() != 3 or vectors.shape[:2] != (images, shape.numel()) or not count:
            msg = (
                f"A Jacobian of {images} images takes vectors of shape (image, dimension, vector), here ({images}, "
                f"{shape.numel()}, one or more); got {tuple(vectors.shape)}."
            )
            raise ValueError(msg)
        probes = vectors.movedim(-1, 0).reshape(count, images, *shape)
        at_once = self.vectors_at_once(workspace)
        with self._arithmetic() as tolerance, self._named():
            parts = in_parts(lambda part: through(self._chain, self.states, probes[part], tolerance), count, at_once)
        return torch.cat(parts).flatten(2).movedim(0, -1)

    @contextmanager
    def _arithmetic(self) -> Iterator[float]:
        """Compute as `narrow` says; yield how far a recomputed state may then be off."""
        with ExitStack() as settings:
            if self.narrow is not None:
                settings.enter_context(torch.autocast(self.images.device.type, self.narrow))
            settings.enter_context(sdpa_kernel(SDPBackend.MATH))
            settings.enter_context(torch.inference_mode(mode=False))  # there, torch drops derivatives silently
            yield REPLAY_TOLERANCE if self.narrow is None else NARROW_TOLERANCE

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Call the image of an error by its id."""
        try:
            yield
        except NotFiniteError as error:
            if not self.image_ids:
                raise
            told = str(error).replace(f"image {error.place} of the batch", f"image {self.image_ids[error.place]}")
            raise ValueError(told) from error


def _check_state(state: Any, images: int, who: str) -> None:
    """Raise unless a step returned a tensor with one entry per image."""
    if not isinstance(state, Tensor):
        msg = f"{who} must return a tensor of images; it returned {type(state).__name__}. Choose its tensor inside it."
        raise TypeError(msg)
    if not state.dim() or len(state) != images:
        msg = f"{who} must return one answer for each of {images} images; it returned shape {tuple(state.shape)}."
        raise ValueError(msg)
