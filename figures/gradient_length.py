"""Length of gradients against depth: `python -m figures.gradient_length [STORE] [FIGURE]`.

Reads the store of `analyses.gradients_against_depth` unless another is given, measures nothing, and saves PNG and PDF.
"""

from functools import partial

from figures.script import given, saved
from purigeom.plot.gradient_length import draw

__all__ = ["draw", "main"]

main = partial(saved, draw)

if __name__ == "__main__":
    main(*given("data_cache/gradients", "gradient_length"))
