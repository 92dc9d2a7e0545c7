"""Where a checkpoint's files lie, and what their bytes are."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any

from torch import nn

SHIPPED = Path(__file__).parents[1] / "weights"
CHECKOUT = Path(__file__).parents[3] / "weights"
"""Networks too large for the package, in the repository; found where purigeom runs from its checkout."""
_LARGEST = 1 << 14
"""No size of a network is larger."""
MODELS_VARIABLE = "PURIGEOM_MODELS"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_OFFLINE = ContextVar("offline", default=False)
_HUB_FILES = ["*.json", "*.safetensors", "*.bin"]


def folder(checkpoint: str) -> Path:
    """Return the folder of a checkpoint: a local one, one shipped or fetched by name, or a hub id's.

    What a user types may be a path and lead anywhere. A name is looked for in the folders of `named_roots` and does
    not lead out of them. The hub's local cache is asked before the network, and within `offline` instead of it.
    """
    named = [] if escapes(checkpoint) else [root / checkpoint for root in named_roots()]
    typed = [expanded(checkpoint)] if checkpoint and "\0" not in checkpoint else []
    for candidate in (*typed, *(named if checkpoint else ())):
        if candidate.is_dir():
            return candidate
    if not _HUB_ID.fullmatch(checkpoint) or checkpoint.startswith(".") or escapes(checkpoint):
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
    """Return whether a name would lead out of the folder it is looked for in, on any system."""
    strange = name.startswith("~") or "\0" in name or "\\" in name
    return strange or PurePath(name).is_absolute() or ".." in PurePath(name).parts


def expanded(path: str) -> Path:
    """Return a path with its `~` as the home folder, where that user has one."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


@contextmanager
def offline() -> Iterator[None]:
    """Let nothing be fetched from the hub meanwhile: who names it may be a stranger."""
    token = _OFFLINE.set(True)
    try:
        yield
    finally:
        _OFFLINE.reset(token)


def hub_folder(checkpoint: str) -> Path:
    """Return the folder of a hub id in the hub's local cache, fetched where it is not there."""
    cached = hub_cached(checkpoint)
    if cached is not None:
        return cached
    if _OFFLINE.get():
        raise FileNotFoundError(_not_found(checkpoint, "it is not in the hub's local cache and is not fetched unasked"))
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(checkpoint, allow_patterns=_HUB_FILES))
    except (OSError, ValueError) as error:
        reason = f"it is not in the hub's local cache and fetching it failed ({type(error).__name__})"
        raise FileNotFoundError(_not_found(checkpoint, reason)) from error


def hub_cached(checkpoint: str) -> Path | None:
    """Return the folder of a hub id in the hub's local cache, where it is there."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(checkpoint, local_files_only=True, allow_patterns=_HUB_FILES))
    except (LocalEntryNotFoundError, HFValidationError):
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


def settings(file: Path) -> dict[str, Any]:
    """Return the JSON object that a file holds; raise ValueError where it is damaged or makes networks without end."""
    try:
        found = json.loads(file.read_text())
    except (ValueError, RecursionError) as error:
        msg = f"{file} must be JSON; it is damaged: {error}. Fetch or train the checkpoint again."
        raise ValueError(msg) from error
    if not isinstance(found, dict):
        msg = f"{file} must be a JSON object; it holds a {type(found).__name__}. Fetch or train the checkpoint again."
        raise ValueError(msg)  # noqa: TRY004  the file is wrong, not its reader
    vast = next((name for name, number in found.items() if isinstance(number, int) and abs(number) > _LARGEST), None)
    if vast is not None:
        msg = f"{file} must hold the sizes of a network, at most {_LARGEST}; {vast!r} is {str(found[vast])[:40]}."
        raise ValueError(msg)
    return found


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
