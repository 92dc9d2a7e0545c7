"""How far a randomly perturbed image is from the clean one, before purification and after."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr
from torch import Tensor

from purigeom.contract import Checked
from purigeom.geometry.displacement import UniformBall
from purigeom.geometry.distances import l1, l2, linf, psnr, ssim
from purigeom.measurements.configuration import check_settings, configurations, labelled
from purigeom.measurements.points import displacements, moved
from purigeom.noise import Noise
from purigeom.protocols import Batch, Displacement, RandomMap
from purigeom.schema import PERTURBED_L1, PERTURBED_L2, PERTURBED_LINF, PERTURBED_PSNR, PERTURBED_SSIM

STAGES = ("before", "after")
_DISTANCES = {PERTURBED_L1: l1, PERTURBED_L2: l2, PERTURBED_LINF: linf, PERTURBED_PSNR: psnr, PERTURBED_SSIM: ssim}


@dataclass(frozen=True)
class PerturbedDistances:
    """Perturb each image, purify it, and compare both with the clean image.

    Parameters
    ----------
    radii
        Lengths of the displacement, in its own norm.
    displacement
        How images are moved.
    clip
        Whether perturbed images are brought back to [0, 1], so that they are images.
    draws
        Number of random configurations; every one gets a displacement of its own.
    """

    version: ClassVar[int] = 1
    label: ClassVar[str] = "perturbed-distances"
    radii: tuple[float, ...]
    displacement: Displacement = UniformBall()
    clip: bool = True
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws)

    @torch.no_grad()
    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        shape, moves = tuple(batch.images.shape[1:]), displacements(noise, self.draws)
        before = torch.stack([moved(self.displacement, moves, batch.images, r, self.clip) for r in self.radii], 1)
        maps = [Checked(purifier).pin(pinned, shape) for pinned in configurations(noise, self.draws)]
        after = torch.stack([torch.stack([f(x) for x in points]) for f, points in zip(maps, before, strict=True)])
        return staged(batch, before, after, self.displacement.label, self.radii)


def staged(batch: Batch, before: Tensor, after: Tensor, label: str, radii: tuple[float, ...]) -> xr.Dataset:
    """Return the distances to the clean images of images before and after purification, (draw, radius, *images)."""
    found = []
    for variable, distance in _DISTANCES.items():
        values = [
            [torch.stack([distance(images, batch.images) for images in drawn]) for drawn in stage]
            for stage in (before, after)
        ]
        measured = torch.stack([torch.stack(drawn) for drawn in values])  # stage, draw, radius, image
        found.append((variable, measured.permute(2, 0, 1, 3)[None]))
    return labelled(found, batch, len(before), displacement=[label], radius=radii, stage=STAGES)
