"""One look for all figures, at the size they are printed."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

from cycler import cycler
from matplotlib import rc_context
from matplotlib.figure import Figure

COLUMN = 3.4
"""Width of a column of text in inches."""
_OWN: Any = {
    "axes.grid": True,
    "axes.labelsize": 8,
    "axes.prop_cycle": cycler(color=["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "figure.constrained_layout.use": True,
    "font.size": 8,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "lines.linewidth": 1.2,
    "pdf.fonttype": 42,
    "savefig.dpi": 200,
    "svg.hashsalt": "purigeom",
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
}
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of purigeom's figures: seaborn's theme for paper, at our sizes and colours."""
    with rc_context(_theme()):
        yield


@cache
def _theme() -> Any:
    import seaborn

    return {**seaborn.plotting_context("paper"), **seaborn.axes_style("ticks"), **_OWN}


def save(figure: Figure, stem: Path) -> list[Path]:
    """Save a figure as PNG and PDF; return both paths."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    paths = [stem.with_suffix(".png"), stem.with_suffix(".pdf")]
    with styled():
        figure.savefig(paths[0])
        figure.savefig(paths[1], metadata={"CreationDate": None})
    return paths


def as_svg(figure: Figure) -> str:
    """Return a figure as markup that a page holds by itself."""
    text = StringIO()
    with styled():
        figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]
