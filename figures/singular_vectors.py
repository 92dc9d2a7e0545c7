"""Leading singular vectors of one purifier: `python -m figures.singular_vectors [STORE] [FIGURE] [PURIFIER]`.

Reads the store of `analyses.geometry_of_digits` and draws `ddpm 60` unless others are given, measures nothing, and
saves PNG, PDF, caption.
"""

import sys
from functools import wraps
from pathlib import Path

from figures.script import given, saved
from purigeom.plot.singular_vectors import ASKED, draw

__all__ = ["ASKED", "draw", "main"]


def main(root: Path, stem: Path, purifier: str) -> None:
    """Draw the singular vectors of a store's purifier."""
    saved(wraps(draw)(lambda results: draw(results.sel(purifier=[purifier]))), ASKED, root, stem)


if __name__ == "__main__":
    main(*given("data_cache/geometry", "singular_vectors"), purifier=(sys.argv[3:] or ["ddpm 60"])[0])
