"""What honest attacks cost, and whether they find what others find: `python -m benchmarks.attacks [NAME ...]`.

Figures that compare with a library are left out, and said to be, where it is not installed.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from benchmarks.attack_gaps import PAIRS, autoattack_gap, robust_accuracy_gap
from benchmarks.attack_gradients import (
    eot_batched_time_vs_serial,
    exact_gradient_cost,
    exact_gradient_memory_growth,
    exact_gradient_memory_vs_full_graph,
)
from benchmarks.attack_peers import MissingPeerError, pgd_memory_vs_torchattacks, pgd_time_vs_torchattacks
from benchmarks.figure import Figure, chosen, print_line
from purigeom.answering import exact_arithmetic

FIGURES: Mapping[str, Callable[[], Figure]] = {
    "exact_gradient_cost.20": partial(exact_gradient_cost, 20),
    "exact_gradient_cost.100": partial(exact_gradient_cost, 100),
    "exact_gradient_memory_growth": exact_gradient_memory_growth,
    "exact_gradient_memory_vs_full_graph.50": exact_gradient_memory_vs_full_graph,
    "eot_batched_time_vs_serial": eot_batched_time_vs_serial,
    "pgd_time_vs_torchattacks": pgd_time_vs_torchattacks,
    "pgd_memory_vs_torchattacks": pgd_memory_vs_torchattacks,
    **{f"robust_accuracy_gap.{kind}": partial(robust_accuracy_gap, kind) for kind in PAIRS},
    "robust_accuracy_gap.autoattack-standard": autoattack_gap,
}


def main(names: Sequence[str]) -> None:
    """Print the named figures, or all."""
    with exact_arithmetic():
        for name in chosen(names, FIGURES):
            try:
                print_line(FIGURES[name]())
            except MissingPeerError as missing:
                sys.stderr.write(f"{name} left out. {missing}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
