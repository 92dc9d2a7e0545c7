"""Pickles that may hold numpy arrays, dicts, lists, bytes, str and numbers, and nothing that runs."""

import io
import pickle
from typing import Any

import numpy as np

_rebuilt = np.empty(0).__reduce__()[0]
_ADMITTED = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _rebuilt,
    ("numpy._core.multiarray", "_reconstruct"): _rebuilt,
}


def unpickled(content: bytes, where: str) -> Any:
    """Return what a pickle holds, byte strings as bytes; raise before anything foreign in it is looked up."""
    try:
        return _Plain(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # whatever damage makes the unpickler raise
        msg = f"{where} must be a whole pickle of plain arrays; it is not ({error}). Fetch it again."
        raise ValueError(msg) from error


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            msg = f"it asks for {module}.{name}, which is neither an array nor plain data: refused"
            raise pickle.UnpicklingError(msg)
        return _ADMITTED[module, name]
