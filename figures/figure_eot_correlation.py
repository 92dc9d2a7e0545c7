"""Gradients of EOT against the own one: `python -m figures.figure_eot_correlation [STORE] [FIGURE]`.

Reads the store of `analyses.paper` unless another is given, measures nothing, and saves PNG, PDF, caption.
"""

from functools import partial

from figures.script import PAPER, given, saved
from purigeom.plot.eot import ASKED, draw

__all__ = ["ASKED", "draw", "main"]

main = partial(saved, draw, ASKED)

if __name__ == "__main__":
    main(*given(PAPER, "figure_eot_correlation"))
