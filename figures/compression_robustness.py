"""Robustness against compression: `python -m figures.compression_robustness [STORE] [FIGURE]`.

Reads the demo's store unless another is given, measures nothing, and saves a PNG and a PDF.
"""

import sys
from pathlib import Path

from purigeom import store
from purigeom.plot.compression_robustness import draw
from purigeom.plot.style import save

__all__ = ["draw"]


def main(root: Path, stem: Path) -> None:
    """Draw a store's calibration curve."""
    for path in save(draw(store.load(root)), stem):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    given = [Path(word) for word in sys.argv[1:]]
    main(*given, *[Path("data_cache/demo/store"), Path("data_cache/figures/compression_robustness")][len(given) :])
