"""What the geometry costs and how exact it is: `python -m benchmarks.geometry [NAME ...] [--network big|lean]`."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from benchmarks.cases import SETTINGS
from benchmarks.counts import (
    products_for_1pct_top20,
    products_for_1pct_top20_propack,
    products_for_1pct_top20_randomised,
)
from benchmarks.figure import Figure, chosen, print_line
from benchmarks.linear import exact_cost_per_dimension, linear_control_variate
from benchmarks.memory import chain_memory_growth
from benchmarks.products import (
    pull_cost,
    push_cost,
    push_vs_autograd_functional,
    push_vs_torch_func,
    push_vs_whole_chain_vmap,
)
from benchmarks.spectra import rms_error, share_error_points, top10_error
from purigeom.answering import exact_arithmetic

PRODUCTS: Mapping[str, Callable[..., Figure]] = {
    f"{figure.__name__}.{count}": partial(figure, count)
    for figure, counts in (
        (push_cost, (8, 32)),
        (pull_cost, (8, 32)),
        (push_vs_torch_func, (8, 32)),
        (push_vs_whole_chain_vmap, (8, 32)),
        (push_vs_autograd_functional, (8,)),
    )
    for count in counts
}
"""On the network that is asked for."""

CHAINS: Mapping[str, Callable[..., Figure]] = {
    "chain_memory_growth": chain_memory_growth,
    "top10_error": top10_error,
    "share_error_points": share_error_points,
    "rms_error": rms_error,
    "products_for_1pct_top20": products_for_1pct_top20,
    "products_for_1pct_top20.randomised": products_for_1pct_top20_randomised,
    "products_for_1pct_top20.propack": products_for_1pct_top20_propack,
    "exact_cost_per_dimension": exact_cost_per_dimension,
    "linear_control_variate.8/255": linear_control_variate,
}
"""On networks of their own."""

FIGURES: Mapping[str, Callable[..., Figure]] = {**PRODUCTS, **CHAINS}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the named figures, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.geometry", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FIGURES)}; all unless given")
    parser.add_argument("--network", choices=SETTINGS, default="big", help="for the costs of products")
    asked = parser.parse_args(arguments)
    with exact_arithmetic():
        for name in chosen(asked.names, FIGURES):
            print_line(FIGURES[name](network=asked.network) if name in PRODUCTS else FIGURES[name]())


if __name__ == "__main__":
    main()
