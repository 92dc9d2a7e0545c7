"""Where a purifier puts clean images: how far from where they were."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr

from purigeom.geometry.distances import l1, l2, linf, psnr, ssim
from purigeom.measurements.configuration import check_settings, facts, purified
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
        drawn = purified(purifier, batch, noise, self.draws)
        measured = {
            variable.name: (
                variable.dims,
                facts(torch.stack([distance(images, batch.images) for images in drawn])),
            )
            for variable, distance in _DISTANCES.items()
        }
        return xr.Dataset(measured, coords={"draw": range(self.draws), "image": list(batch.image_ids)})
