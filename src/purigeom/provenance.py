"""What made an answer: versions, commit, machine."""

import platform
import subprocess
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = ("purigeom", "torch", "numpy", "diffusers", "xarray", "zarr", "pyautoattack")


@lru_cache
def made_by(device: str) -> dict[str, Any]:
    """Return the versions and settings of this process."""
    import torch

    return {
        "versions": {name: _version(name) for name in _PACKAGES},
        "commit": _commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": device,
        "threads": torch.get_num_threads(),
        "tf32": torch.backends.cuda.matmul.allow_tf32,
        "cudnn_deterministic": torch.backends.cudnn.deterministic,
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """Return the commit of the checkout this package runs from; installed packages have none."""
    here = Path(__file__).parent
    if not (here.parents[1] / ".git").exists():
        return "no checkout"
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or "unknown"
