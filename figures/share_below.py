"""Share of compressed directions against depth: `python -m figures.share_below [STORE] [FIGURE]`.

Reads the store of `analyses.geometry_of_digits` unless another is given, measures nothing, and saves a PNG and a PDF.
"""

import sys
from pathlib import Path

from purigeom import store
from purigeom.plot.share import draw
from purigeom.plot.style import save

__all__ = ["draw"]


def main(root: Path, stem: Path) -> None:
    """Draw the shares of a store."""
    for path in save(draw(store.load(root).load()), stem):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    given = [Path(word) for word in sys.argv[1:]]
    main(*given, *[Path("data_cache/geometry"), Path("data_cache/figures/share_below")][len(given) :])
