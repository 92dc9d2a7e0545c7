"""What purified images look like."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr

from purigeom.measurements.configuration import check_settings, facts, purified
from purigeom.noise import Noise
from purigeom.protocols import Batch, RandomMap
from purigeom.schema import PURIFIED_IMAGE


@dataclass(frozen=True)
class Gallery:
    """Keep what the purifier makes of each clean image."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "gallery"
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws)

    @torch.no_grad()
    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        drawn = purified(purifier, batch, noise, self.draws)
        return xr.Dataset(
            {PURIFIED_IMAGE.name: (PURIFIED_IMAGE.dims, facts(drawn))},
            coords={"draw": range(self.draws), "image": list(batch.image_ids)},
        )
