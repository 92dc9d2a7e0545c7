"""What measuring at CIFAR-10's size costs, and what fewer bits change: `python -m benchmarks.cifar [NAME ...]`.

On a GPU where there is one, else on one CPU thread. With the repository's network where it is here, else one of its
architecture with random weights; `--network published` takes the architecture of google/ddpm-cifar10-32. Figures that
need what is not here are left out, and said to be.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from benchmarks.cifar_cases import NETWORKS, PRECISIONS, WAYS, Case, NotHereError, case
from benchmarks.cifar_deviations import QUANTITIES, deviation
from benchmarks.cifar_peers import full_graph_pgd_memory, full_graph_pgd_time
from benchmarks.cifar_shares import (
    PRODUCTS,
    bare_images_per_second,
    compiled_speedup,
    compression_throughput_share,
    product_throughput_share,
)
from benchmarks.cifar_study import attack_hours, compression_hours, peak_memory_gb
from benchmarks.figure import Figure, chosen, print_line
from purigeom.answering import exact_arithmetic


def _figures() -> Iterator[tuple[str, Callable[[Case], Figure]]]:
    for way in WAYS:
        yield f"bare_images_per_second.{way}", partial(bare_images_per_second, way)
    for way in PRECISIONS:
        yield f"compression_throughput_share.{way}", partial(compression_throughput_share, way)
        for kind in PRODUCTS:
            yield f"{kind}_throughput_share.{way}", partial(product_throughput_share, kind, way)
        yield f"peak_memory_gb.{way}", partial(peak_memory_gb, way)
        yield f"projected_hours.compression.{way}", partial(compression_hours, way)
        yield f"projected_hours.pgd_eot.{way}", partial(attack_hours, way)
    for name in QUANTITIES:
        yield f"deviation.{name}", partial(deviation, name)
    yield "full_graph_pgd_time.lee-kim", full_graph_pgd_time
    yield "full_graph_pgd_memory.lee-kim", full_graph_pgd_memory


USUAL: Mapping[str, Callable[[Case], Figure]] = dict(_figures())
"""Printed unless others are named."""
NAMED: Mapping[str, Callable[[Case], Figure]] = {
    f"compiled_speedup.{way}": partial(compiled_speedup, way) for way in ("channels_last", "bfloat16")
}
"""Printed where they are named: compiling takes minutes on a CPU."""
FIGURES: Mapping[str, Callable[[Case], Figure]] = {**USUAL, **NAMED}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the named figures, or the usual ones."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cifar", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FIGURES)}")
    parser.add_argument("--network", choices=NETWORKS, default="ours")
    asked = parser.parse_args(arguments)
    with exact_arithmetic(), case(asked.network) as measured:
        left_out = print_figures(chosen(asked.names, FIGURES) if asked.names else USUAL, measured)
    for reason, names in left_out.items():
        sys.stderr.write(f"Left out: {', '.join(names)}. {reason}\n")


def print_figures(names: Sequence[str], measured: Case) -> dict[str, list[str]]:
    """Print what can be measured here; return which figures cannot be, by the reason why."""
    left_out: dict[str, list[str]] = {}
    for name in names:
        try:
            print_line(FIGURES[name](measured))
        except NotHereError as missing:
            left_out.setdefault(str(missing), []).append(name)
    return left_out


if __name__ == "__main__":
    main()
