"""Calibrations as small files: a table of purifiers whose robustness was measured, and what made it."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from purigeom.npz import arrays_in

HOME = files("purigeom") / "calibrations"
NEEDED = (
    *("family", "count", "survival", "survived", "classified", "random_kept", "rank", "margin_bend"),
    *("compression", "corner_compression", "small_compression", "margin_reach", "moved_reach", "anchor_reach"),
)
"""What predictors read."""
_IMAGE_WISE = "float32"


def save(table: xr.Dataset, path: Path) -> None:
    """Write a table as an npz of plain arrays; nothing in it is code."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: _plain(table[name]) for name in [*table.data_vars, *table.coords]}
    dims = {str(name): list(map(str, table[name].dims)) for name in arrays}
    about = {"dims": dims, "coords": sorted(map(str, table.coords)), "attrs": table.attrs}
    named: Any = {str(name): array for name, array in arrays.items()}
    np.savez_compressed(path, about=np.array(json.dumps(about)), **named)


def load(path: Path) -> xr.Dataset:
    """Return the table that `save` wrote; raise where the file is none."""
    try:
        stored = arrays_in(path)
        about: dict[str, Any] = json.loads(stored["about"].item())
        arrays = {str(name): (about["dims"][name], stored[name]) for name in about["dims"]}
        coords = {name: arrays[name] for name in about["coords"]}
        data = {name: array for name, array in arrays.items() if name not in coords}
        table = xr.Dataset(data, coords, about["attrs"])
    except OSError:
        raise
    except Exception as error:  # whatever JSON that describes no table makes the readers raise
        msg = f"{path} is no calibration. Make one with `purigeom calibrate`."
        raise ValueError(msg) from error
    missing = sorted(set(NEEDED) - set(arrays))
    if missing:
        msg = f"{path} lacks {missing}: it was made by another version. Make it again with `purigeom calibrate`."
        raise ValueError(msg)
    return table


def shipped() -> dict[str, Path]:
    """Return the calibrations of this package by name."""
    return {path.stem: path for path in sorted(Path(str(HOME)).glob("*.npz"))}


def _plain(values: xr.DataArray) -> np.ndarray:
    """Return an array that needs no pickle; image by image, single precision is plenty."""
    array: np.ndarray = values.values
    if array.dtype.kind in "OUT":
        return array.astype(str)
    return array.astype(_IMAGE_WISE) if "sample" in values.dims else array
