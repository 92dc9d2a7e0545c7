"""Image quilting: every patch is replaced by a clean one that resembles it."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from purigeom.noise import Noise
from purigeom.protocols import Declaration, ImageMap, ImageSet
from purigeom.settings import check_counts, check_integers, check_whole

_QUERIES_AT_ONCE = 2048
_LATER = 1e-12
"""How much further away than those before it a patch counts, far above the rounding of a distance in float64."""


class Clean(Hashable, ImageSet, Protocol):
    """The name of some clean images, by which their patches are kept once per process."""


@dataclass(frozen=True)
class Quilting:
    """Rebuild images from patches of clean ones, the nearest or one of the nearest to each (Guo et al. 2018).

    Patches lie on a grid and overlap; where they do they are averaged, while the original cuts them along the line of
    least error. Which of the nearest is taken is drawn per image and place when the map is pinned. No answer changes
    until another patch is nearest: the slope is zero almost everywhere, and is returned as zero.

    Parameters
    ----------
    clean
        The images that patches are taken from.
    patch
        Pixels from one end of a square patch to the other.
    overlap
        How many of them neighbours on the grid share; less is left over at the far edge.
    neighbours
        Among how many of the nearest patches to choose; published are 10, and 1.
    patches
        How many random patches there are to choose from, without those that come twice; published are 1,000,000.
    seed
        Decides which these are.
    """

    clean: Clean
    patch: int = 5
    overlap: int = 2
    neighbours: int = 10
    patches: int = 10_000
    seed: int = 0

    version: ClassVar[int] = 1
    declaration: ClassVar[Declaration] = Declaration(family="quilting", differentiability="piecewise constant")

    def __post_init__(self) -> None:
        check_counts(self, "patch", "patches")
        check_whole(self, "overlap", "neighbours")
        check_integers(self, "seed")
        if self.patch < 2:
            msg = f"Quilting.patch must be at least 2 pixels; got {self.patch}."
            raise ValueError(msg)
        if not 0 <= self.overlap < self.patch:
            msg = f"Quilting.overlap must be at least 0 and less than patch={self.patch}; got {self.overlap}."
            raise ValueError(msg)
        if not 1 <= self.neighbours <= self.patches:
            msg = f"Quilting.neighbours must be from 1 to patches={self.patches}; got {self.neighbours}."
            raise ValueError(msg)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        database = self._database(image_shape)
        down, right = (self._grid(side) for side in image_shape[-2:])
        times = torch.einsum("gih,kjw->hw", down, right)

        def purify(images: Tensor) -> Tensor:
            rows, columns = down.to(images), right.to(images)
            found = torch.einsum("gih,kjw,nchw->ngkcij", rows, columns, images.detach())
            words = noise.child("neighbour").words_like(torch.zeros(found.shape[:3], device=images.device))
            nearest = _nearest(found.flatten(3).flatten(0, 2).double(), database.to(images.device), self.neighbours)
            chosen = nearest.gather(1, (words.flatten() % self.neighbours)[:, None])
            patches = database.to(images)[chosen[:, 0]].reshape(found.shape)
            quilted = torch.einsum("gih,kjw,ngkcij->nchw", rows, columns, patches)
            # the product with zero keeps a graph, whose gradient is the slope that the map has
            return (quilted / times.to(images)).clamp(0, 1) + 0 * images

        return purify

    def _grid(self, side: int) -> Tensor:
        """Return where every pixel of every patch along a side lies, (patch, pixel, place), ones among zeros."""
        last = side - self.patch
        starts = [*range(0, last, self.patch - self.overlap), last]
        places = torch.tensor(starts)[:, None, None] + torch.arange(self.patch)[:, None]
        return (places == torch.arange(side)).double()

    def _database(self, image_shape: tuple[int, ...]) -> Tensor:
        """Return the clean patches as rows; raise unless they and the images fit each other."""
        if self.patch > min(image_shape[-2:]):
            msg = (
                f"Quilting.patch={self.patch} needs images of at least so many pixels a side; got "
                f"{image_shape[-2]} x {image_shape[-1]}. Take smaller patches."
            )
            raise ValueError(msg)
        channels, found = _patches(self.clean, self.patch, self.patches, self.seed)
        if channels != image_shape[0]:
            msg = (
                f"Quilting.clean must hold images of the channels that are purified, {image_shape[0]}; {self.clean!r} "
                f"has {channels}. Take clean images of the same kind."
            )
            raise ValueError(msg)
        if len(found) < self.neighbours:
            msg = (
                f"Quilting.neighbours={self.neighbours} needs as many different patches; {self.patches} random ones of "
                f"{self.clean!r} hold {len(found)}. Draw more patches, or ask for fewer neighbours."
            )
            raise ValueError(msg)
        return found


@lru_cache(maxsize=8)
def _patches(clean: Clean, patch: int, count: int, seed: int) -> tuple[int, Tensor]:
    """Return the channels of clean images, and random patches of them as rows, each different one once."""
    images = clean.load().images
    number, channels, rows, columns = images.shape
    if patch > min(rows, columns):
        msg = f"Quilting.patch={patch} must fit the clean images; those of {clean!r} have {rows} x {columns} pixels."
        raise ValueError(msg)
    words = Noise(seed, tuple(range(count)), ("patches",)).words_like(torch.zeros(count, 3))
    place = torch.arange(patch)
    down = (words[:, 1] % (rows - patch + 1))[:, None] + place
    right = (words[:, 2] % (columns - patch + 1))[:, None] + place
    chosen = images[(words[:, 0] % number)[:, None, None], :, down[:, :, None], right[:, None, :]]
    return channels, chosen.permute(0, 3, 1, 2).flatten(1).double().unique(dim=0)


def _nearest(patches: Tensor, database: Tensor, neighbours: int) -> Tensor:
    """Return, for every patch, the places of the nearest ones in the database, the very nearest first.

    Of equally near ones, as there are among patches of few grey levels, the first is taken, on every device.
    """
    later = _LATER * torch.arange(len(database), device=database.device)
    # by way of inner products distances would round, differently in every batch
    distances = (
        torch.cdist(some, database, compute_mode="donot_use_mm_for_euclid_dist") + later
        for some in patches.split(_QUERIES_AT_ONCE)
    )
    return torch.cat([one.topk(neighbours, largest=False).indices for one in distances])
