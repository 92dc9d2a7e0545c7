"""Singular values by mode: `python -m figures.singular_values [STORE] [FIGURE]`.

Reads the store of `analyses.geometry_of_digits` unless another is given, measures nothing, and saves a PNG and a PDF.
"""

from functools import partial

from figures.script import given, saved
from purigeom.plot.spectrum import draw

__all__ = ["draw", "main"]

main = partial(saved, draw)

if __name__ == "__main__":
    main(*given("data_cache/geometry", "singular_values"))
