"""Compression along and across the data: `python -m figures.compression_by_direction [STORE] [FIGURE]`.

Reads the store of `analyses.geometry_of_digits` unless another is given, measures nothing, and saves a PNG and a PDF.
"""

from functools import partial

from figures.script import given, saved
from purigeom.plot.directions import draw

__all__ = ["draw", "main"]

main = partial(saved, draw)

if __name__ == "__main__":
    main(*given("data_cache/geometry", "compression_by_direction"))
