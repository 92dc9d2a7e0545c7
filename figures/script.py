"""What every figure's script does: load a store, draw it, save the figure with its caption and say where."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from purigeom import store
from purigeom.plot.caption import caption, opening
from purigeom.plot.style import save

PAPER = "data_cache/paper"
"""The store of `analyses.paper`."""


def saved(draw: Callable[[xr.Dataset], Figure], asked: Sequence[str], root: Path, stem: Path) -> None:
    """Draw a store; save the figure and, beside it, its caption."""
    for path in kept(draw, asked, store.load(root).load(), stem):
        sys.stdout.write(f"{path}\n")


def kept(draw: Callable[[xr.Dataset], Figure], asked: Sequence[str], results: xr.Dataset, stem: Path) -> list[Path]:
    """Save a figure of results as PNG and PDF, and its caption as text; return the paths."""
    paths = save(draw(results), stem)
    text = stem.with_name(f"{stem.name}.txt")
    text.write_text(f"{opening(draw)}\n\n{caption(results, asked)}\n")
    return [*paths, text]


def given(root: str, name: str) -> tuple[Path, Path]:
    """Return the store and the figure that the command line names, or the usual store and the figure's own place."""
    words = [root, f"data_cache/figures/{name}"]
    words[: len(sys.argv) - 1] = sys.argv[1:3]
    return Path(words[0]), Path(words[1])
