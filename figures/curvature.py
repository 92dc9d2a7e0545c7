"""Finite against linear compression: `python -m figures.curvature [STORE] [FIGURE]`.

Reads the store of `analyses.geometry_of_digits` unless another is given, measures nothing, and saves PNG, PDF, caption.
"""

from functools import partial

from figures.script import given, saved
from purigeom.plot.curvature import ASKED, draw

__all__ = ["ASKED", "draw", "main"]

main = partial(saved, draw, ASKED)

if __name__ == "__main__":
    main(*given("data_cache/geometry", "curvature"))
