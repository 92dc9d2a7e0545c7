"""Where a purifier puts clean images: how far from where they were."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr

from purigeom.contract import Checked
from purigeom.geometry.distances import l1, l2, linf, psnr, ssim
from purigeom.measurements.configuration import check_settings, configurations, facts
from purigeom.noise import Noise
from purigeom.protocols import Batch, RandomMap
from purigeom.schema import L1, L2, LINF, PSNR, SSIM

_DISTANCES = {L1: l1, L2: l2, LINF: linf, PSNR: psnr, SSIM: ssim}


@dataclass(frozen=True)
class Distances:
    """Purify each clean image and compare it with itself."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "distances"
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws)

    @torch.no_grad()
    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        shape = tuple(batch.images.shape[1:])
        purified = [Checked(purifier).pin(pinned, shape)(batch.images) for pinned in configurations(noise, self.draws)]
        measured = {
            variable.name: (
                variable.dims,
                facts(torch.stack([distance(images, batch.images) for images in purified])),
            )
            for variable, distance in _DISTANCES.items()
        }
        return xr.Dataset(measured, coords={"draw": range(self.draws), "image": list(batch.image_ids)})
