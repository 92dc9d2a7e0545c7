"""Who withstands only attacks that never looked: `python -m figures.figure_zoo [STORE] [FIGURE]`.

Reads the store of `analyses.zoo` unless another is given, measures nothing, and saves PNG, PDF, caption.
"""

from functools import partial

from figures.script import given, saved
from purigeom.plot.zoo import ASKED, draw

__all__ = ["ASKED", "draw", "main"]

main = partial(saved, draw, ASKED)

if __name__ == "__main__":
    main(*given("data_cache/zoo", "figure_zoo"))
