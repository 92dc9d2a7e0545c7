"""Every figure that a store has the facts for: `python -m figures.all [STORE] [FOLDER]`.

Reads the store of `analyses.paper` unless another is given, measures nothing, and saves PNG, PDF and caption of each.
"""

import pkgutil
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

import figures
from figures.script import PAPER, kept
from purigeom import store

FOLDER = Path("data_cache/figures")


def scripts() -> Iterator[tuple[str, Callable[[xr.Dataset], Figure], Sequence[str]]]:
    """Yield every figure's name, how it is drawn, and the measurements that it draws."""
    for name in sorted(module.name for module in pkgutil.iter_modules(figures.__path__)):
        if name != "all":
            module = import_module(f"figures.{name}")
            if hasattr(module, "draw"):
                yield name, module.draw, module.ASKED


def main(root: Path | str = PAPER, folder: Path | str = FOLDER) -> dict[str, str]:
    """Draw all figures of a store into a folder, say which, and return why each of the others was skipped."""
    results, skipped = store.load(root).load(), {}
    for name, draw, asked in scripts():
        try:
            paths = kept(draw, asked, results, Path(folder) / name)
        except (KeyError, ValueError, RuntimeError) as error:
            skipped[name] = str(error.args[0] if error.args else error)
        else:
            sys.stdout.write(f"{paths[0]}\n")
    for name, reason in skipped.items():
        sys.stdout.write(f"skipped {name}: {reason}\n")
    return skipped


if __name__ == "__main__":
    main(*sys.argv[1:3])
