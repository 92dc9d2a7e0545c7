"""Robustness against compression: `python -m figures.compression_robustness [STORE] [FIGURE]`.

Reads the demo's store unless another is given, measures nothing, and saves PNG, PDF, caption.
"""

from functools import partial

from figures.script import given, saved
from purigeom.plot.compression_robustness import ASKED, draw

__all__ = ["ASKED", "draw", "main"]

main = partial(saved, draw, ASKED)

if __name__ == "__main__":
    main(*given("data_cache/demo/store", "compression_robustness"))
