"""Arrays in an npz file, read without running anything and at no more memory than the file is worth."""

import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

_FREE_BYTES, _RATIO = 1 << 28, 200
"""What may come of any file; beyond that, how often its own size. Numbers that were measured are far below."""


def arrays_in(path: Path | str, names: Collection[str] | None = None) -> dict[str, np.ndarray[Any, Any]]:
    """Return a file's arrays by name, of those that are asked for; raise ValueError where it is no sound npz."""
    try:
        size = Path(path).stat().st_size
        _refuse_inflation(path, size)
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored if names is None or name in names}
    except OSError:
        raise
    except Exception as error:  # whatever damage makes the readers of zips and arrays raise
        msg = f"{path} must be a whole npz of plain arrays; it is not ({type(error).__name__}: {error})."
        raise ValueError(msg) from error


def _refuse_inflation(path: Path | str, size: int) -> None:
    with zipfile.ZipFile(path) as archive:
        inflated = sum(member.file_size for member in archive.infolist())
    if inflated > max(_FREE_BYTES, _RATIO * size):
        msg = f"its {size} bytes would become {inflated}"
        raise ValueError(msg)
