"""Length of gradients against depth: `python -m figures.gradient_length [STORE] [FIGURE]`.

Reads the store of `analyses.gradients_against_depth` unless another is given, and saves PNG, PDF and
caption; measures nothing.
"""

from functools import partial

from figures.script import given, saved
from purigeom.plot.gradient_length import ASKED, draw

__all__ = ["ASKED", "draw", "main"]

main = partial(saved, draw, ASKED)

if __name__ == "__main__":
    main(*given("data_cache/gradients", "gradient_length"))
