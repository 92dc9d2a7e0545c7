"""In which directions, and how strongly, a purifier compresses: the singular values of its Jacobian."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import xarray as xr

from purigeom.contract import Checked
from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.spectrum.exact import singular_values
from purigeom.measurements.configuration import check_settings, configurations, facts
from purigeom.noise import Noise
from purigeom.protocols import Batch, RandomMap
from purigeom.schema import SINGULAR_VALUE

IMAGES_AT_ONCE = 8
"""Times the products of an image: more no longer fits a CPU's caches and is slower."""


@dataclass(frozen=True)
class Spectrum:
    """Compute all singular values exactly; for small images, since an image costs as many products as pixels."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "spectrum"
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws)

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        shape = tuple(batch.images.shape[1:])
        values = []
        for pinned in configurations(noise, self.draws):
            parts = []
            for start in range(0, len(batch), IMAGES_AT_ONCE):
                part = slice(start, start + IMAGES_AT_ONCE)
                Checked(purifier).pin(pinned[part], shape)(batch.images[part])  # names the image of a NaN
                image_map = purifier.pin(pinned[part], shape)
                parts.append(singular_values(Jacobian(image_map, batch.images[part])))
            values.append(torch.cat(parts))
        stacked = torch.stack(values)
        coordinates = {
            "draw": range(self.draws),
            "image": list(batch.image_ids),
            "mode": range(stacked.shape[-1]),
        }
        return xr.Dataset({SINGULAR_VALUE.name: (SINGULAR_VALUE.dims, facts(stacked))}, coords=coordinates)
