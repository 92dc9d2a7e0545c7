"""The Jacobian of an image map as a linear operator: products with it, never the matrix."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import jvp, vmap

from purigeom.geometry.chain import Chain, pull_through
from purigeom.protocols import ImageMap


@dataclass(frozen=True)
class Jacobian:
    """The block-diagonal Jacobian of `image_map` at `images`, one block per image.

    Probes, tangents and cotangents alike, have shape (probe, *images.shape). No product holds more than
    one step of a chain in memory: `push` carries tangents forward, `pull` replays the stored states backward.

    Examples
    --------
    >>> halving = Jacobian(lambda x: x / 2, torch.zeros(1, 1, 2, 2))
    >>> halving.push(torch.ones(1, 1, 1, 2, 2)).unique()
    tensor([0.5000])
    """

    image_map: ImageMap
    images: Tensor

    @torch.no_grad()
    def push(self, tangents: Tensor) -> Tensor:
        """Apply J to every tangent."""
        return vmap(lambda tangent: jvp(self.image_map, (self.images,), (tangent,))[1])(tangents)

    def pull(self, cotangents: Tensor) -> Tensor:
        """Apply J transposed to every cotangent."""
        chain = self.image_map if isinstance(self.image_map, Chain) else Chain((self.image_map,))
        with torch.no_grad():
            states = chain.states(self.images)
        return pull_through(chain, states, cotangents)
