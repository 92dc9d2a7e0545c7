"""Attacked against critical compression: `python -m figures.figure_6_critical_compression [STORE] [FIGURE]`.

Reads the store of `analyses.paper` unless another is given, measures nothing, and saves PNG, PDF, caption.
"""

from functools import partial

from figures.script import PAPER, given, saved
from purigeom.plot.critical_compression import ASKED, draw

__all__ = ["ASKED", "draw", "main"]

main = partial(saved, draw, ASKED)

if __name__ == "__main__":
    main(*given(PAPER, "figure_6_critical_compression"))
