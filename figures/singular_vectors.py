"""Leading singular vectors of one purifier: `python -m figures.singular_vectors [STORE] [FIGURE] [PURIFIER]`.

Reads the store of `analyses.geometry_of_digits` and draws `ddpm 60` unless others are given, measures nothing, and
saves a PNG and a PDF.
"""

import sys
from pathlib import Path

from purigeom import store
from purigeom.plot.singular_vectors import draw
from purigeom.plot.style import save

__all__ = ["draw"]


def main(root: str, stem: str, purifier: str) -> None:
    """Draw the singular vectors of a store's purifier."""
    for path in save(draw(store.load(root).sel(purifier=[purifier]).load()), Path(stem)):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(*given, *["data_cache/geometry", "data_cache/figures/singular_vectors", "ddpm 60"][len(given) :])
