"""Measure how adversarial purifiers compress image space, and what robustness that leaves."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from purigeom import store
    from purigeom.means import estimate, estimates
    from purigeom.noise import Noise
    from purigeom.protocols import Batch
    from purigeom.purifiers.wrapped import wrap
    from purigeom.sweep import Task, measure, run

_HOMES = {
    "Batch": "purigeom.protocols",
    "Noise": "purigeom.noise",
    "Task": "purigeom.tasks",
    "estimate": "purigeom.means",
    "estimates": "purigeom.means",
    "measure": "purigeom.sweep",
    "run": "purigeom.sweep",
    "wrap": "purigeom.purifiers.wrapped",
}

__version__ = "0.1.0"
__all__ = ["Batch", "Noise", "Task", "estimate", "estimates", "measure", "run", "store", "wrap"]


def __getattr__(name: str) -> Any:
    """Import what is asked for, when it is asked for: torch and xarray take seconds, `import purigeom` none."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name == "store":
        return import_module("purigeom.store")
    msg = f"module 'purigeom' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
