"""Where a checkpoint's files lie, and what their bytes are."""

import hashlib
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path, PurePath

from torch import nn

SHIPPED = Path(__file__).parents[1] / "weights"
CHECKOUT = Path(__file__).parents[3] / "weights"
"""Networks too large for the package, in the repository; found where purigeom runs from its checkout."""
MODELS_VARIABLE = "PURIGEOM_MODELS"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_HUB_FILES = ["*.json", "*.safetensors", "*.bin"]


def folder(checkpoint: str) -> Path:
    """Return the folder of a checkpoint: a local one, one shipped or fetched by name, or a hub id's.

    The hub's local cache is asked before the network.
    """
    named = [] if escapes(checkpoint) else [root / checkpoint for root in named_roots()]
    for candidate in (Path(checkpoint).expanduser(), *named):
        if candidate.is_dir():
            return candidate
    if not _HUB_ID.fullmatch(checkpoint) or checkpoint.startswith("."):
        raise FileNotFoundError(_not_found(checkpoint, "it is no local folder and no hub id"))
    return _hub_folder(checkpoint)


@lru_cache
def _hub_folder(checkpoint: str) -> Path:
    return hub_folder(checkpoint)


def models_folder() -> Path:
    """Return the folder that `purigeom models fetch` fills: PURIGEOM_MODELS, or data_cache/models."""
    return Path(os.environ.get(MODELS_VARIABLE) or "data_cache/models").expanduser()


def named_roots() -> tuple[Path, ...]:
    """Return the folders in which checkpoints have names."""
    return (SHIPPED, CHECKOUT, models_folder())


def escapes(name: str) -> bool:
    """Return whether a name would lead out of the folder it is looked for in."""
    return PurePath(name).is_absolute() or ".." in PurePath(name).parts


def hub_folder(checkpoint: str) -> Path:
    """Return the folder of a hub id in the hub's local cache, fetched where it is not there."""
    cached = hub_cached(checkpoint)
    if cached is not None:
        return cached
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(checkpoint, allow_patterns=_HUB_FILES))
    except (OSError, ValueError) as error:
        reason = f"it is not in the hub's local cache and fetching it failed ({type(error).__name__})"
        raise FileNotFoundError(_not_found(checkpoint, reason)) from error


def hub_cached(checkpoint: str) -> Path | None:
    """Return the folder of a hub id in the hub's local cache, where it is there."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(checkpoint, local_files_only=True, allow_patterns=_HUB_FILES))
    except LocalEntryNotFoundError:
        return None


def _not_found(checkpoint: str, reason: str) -> str:
    known = sorted({name for root in named_roots() for name in _folders(root)})
    return (
        f"Checkpoint {checkpoint!r} was not found: {reason}. Give a folder that holds it, one of {known}, or "
        "a hub id, fetched once by `purigeom models fetch` on a machine with a network; names are also looked for in "
        f"{models_folder()} ({MODELS_VARIABLE})."
    )


def _folders(root: Path) -> list[str]:
    return [entry.name for entry in root.iterdir() if entry.is_dir()] if root.is_dir() else []


def weights_file(part: Path) -> Path:
    """Return the one file of weights in a folder, safetensors before torch's own format."""
    for pattern in ("*.safetensors", "*.bin"):
        found = sorted(part.glob(pattern))
        if len(found) == 1:
            return found[0]
    msg = f"{part} must hold one file of weights, *.safetensors or *.bin; it holds {_names(part)}."
    raise FileNotFoundError(msg)


def _names(part: Path) -> list[str]:
    return sorted(entry.name for entry in part.iterdir()) if part.is_dir() else []


def digest(files: list[Path]) -> str:
    """Return the sha256 of the bytes of some files, read again only when a file changed."""
    stamps = tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in files)
    return _digest(stamps)


@lru_cache
def _digest(stamps: tuple[tuple[Path, int, int], ...]) -> str:
    total = hashlib.sha256()
    for path, _, _ in stamps:
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def frozen(module: nn.Module) -> nn.Module:
    """Return the module ready to be measured: no training behaviour, no gradients for its parameters."""
    return module.eval().requires_grad_(False)


def outside_transforms(load: Callable[[], nn.Module]) -> nn.Module:
    """Load a module even where a torch.func transform asks first: transforms stay in the thread they are in."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(load).result()
