"""Share of compressed directions against depth: `python -m figures.share_below [STORE] [FIGURE]`.

Reads the store of `analyses.geometry_of_digits` unless another is given, measures nothing, and saves PNG, PDF, caption.
"""

from functools import partial

from figures.script import given, saved
from purigeom.plot.share import ASKED, draw

__all__ = ["ASKED", "draw", "main"]

main = partial(saved, draw, ASKED)

if __name__ == "__main__":
    main(*given("data_cache/geometry", "share_below"))
