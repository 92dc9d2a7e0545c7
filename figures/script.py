"""What every figure's script does: load a store, draw it, save the figure and say where."""

import sys
from collections.abc import Callable
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from purigeom import store
from purigeom.plot.style import save


def saved(draw: Callable[[xr.Dataset], Figure], root: Path, stem: Path) -> None:
    """Draw a store and save the figure."""
    for path in save(draw(store.load(root).load()), stem):
        sys.stdout.write(f"{path}\n")


def given(root: str, name: str) -> tuple[Path, Path]:
    """Return the store and the figure that the command line names, or the usual store and the figure's own place."""
    words = [root, f"data_cache/figures/{name}"]
    words[: len(sys.argv) - 1] = sys.argv[1:3]
    return Path(words[0]), Path(words[1])
