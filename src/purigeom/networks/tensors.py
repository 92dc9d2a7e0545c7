"""Files of tensors: read without running anything that is pickled in them, and put into a module."""

import argparse
import hashlib
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

SUFFIXES = (".safetensors", ".pt", ".pth", ".th", ".bin", ".ckpt")
"""How the names of files of weights end."""
WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
"""Under which of its entries a checkpoint holds the weights."""
PREFIXES = ("module.", "model.", "_orig_mod.")
"""What wrappers of networks put before every name."""
_PAGES = (b"<!doctype", b"<html", b"<?xml")
"""How web pages begin; a lone `<` can be the length that begins a safetensors file."""
_COUNTER = "num_batches_tracked"
_NAMED = 3
_NESTED = 8
_SHARED = 4
"""How often tensors may share one place in a file."""


def read(file: Path) -> dict[str, Tensor]:
    """Return the tensors of a file by their bare names, half floats as floats; raise where it holds code."""
    if file.suffix not in SUFFIXES:
        msg = f"{file} must be a file of weights, {', '.join(SUFFIXES)}; got {file.suffix or 'no suffix'}."
        raise ValueError(msg)
    if not file.is_file():
        msg = f"There is no file {file}."
        raise FileNotFoundError(msg)
    tensors = _bare(_unwrapped(stored(file)), file)
    refuse_more(tensors, file)
    return {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}


def stored(file: Path) -> Mapping[str, Any]:
    """Return what a file of weights holds, by name; code that is pickled in it is never run.

    Tensors may be the file's own memory: copy those that are kept.
    """
    with file.open("rb") as opened:
        if opened.read(64).lstrip().lower().startswith(_PAGES):
            msg = f"{file} must hold weights; it is a web page that was saved under their name. Fetch it again."
            raise ValueError(msg)
    try:
        found = load_file(file) if file.suffix == ".safetensors" else _unpickled(file)
    except Exception as error:
        reason = str(error).partition("\n")[0].strip(" .") or "it says no more"
        msg = (
            f"{file} must hold tensors only, safetensors or torch.load's weights_only; {type(error).__name__}: "
            f"{reason}. Pickled code is never run: where the file is damaged fetch it again; where you trust it save "
            "its tensors alone, such as by torch.save(torch.load(FILE, weights_only=False)['state_dict'], NEW)."
        )
        raise ValueError(msg) from error
    if not isinstance(found, Mapping):
        msg = f"{file} must hold tensors by name; it holds a {type(found).__name__}. Save a state_dict()."
        raise ValueError(msg)  # noqa: TRY004  a file, and no argument, holds something else
    return found


def refuse_more(tensors: Mapping[str, Tensor], file: Path) -> None:
    """Raise unless tensors are plain ones that their file can hold: one number repeated may claim any shape."""
    strange = next((name for name, one in tensors.items() if one.layout != torch.strided or one.is_meta), None)
    claimed = sum(one.numel() * one.element_size() for one in tensors.values())
    if strange is not None or claimed > _SHARED * file.stat().st_size:
        what = f"{strange!r} is none" if strange is not None else f"they would take {claimed} bytes"
        msg = f"{file} of {file.stat().st_size} bytes must hold plain tensors, whole; {what}. Save a state_dict()."
        raise ValueError(msg)


def refuse_vast(build: Callable[[], nn.Module], file: Path, who: str) -> None:
    """Raise where a network has more numbers than its file of weights has bytes; none of them is made for that."""
    with torch.device("meta"):
        count = sum(one.numel() for one in build().state_dict().values())
    if count > file.stat().st_size:
        msg = f"{who} asks for {count} numbers, but {file} has {file.stat().st_size} bytes. Fetch it again."
        raise ValueError(msg)


def fit(module: nn.Module, tensors: Mapping[str, Tensor], who: str) -> nn.Module:
    """Return the module with the tensors in it; raise unless names and shapes are exactly those it asks for."""
    needed, given = shapes(module.state_dict()), shapes(tensors)
    gaps = {
        "missing": sorted(needed.keys() - given.keys()),
        "unexpected": sorted(given.keys() - needed.keys()),
        "of another shape": [
            f"{name} {given[name]} for {needed[name]}"
            for name in sorted(needed.keys() & given.keys())
            if needed[name] != given[name]
        ],
    }
    if any(gaps.values()):
        found = "; ".join(f"{len(names)} {kind}: {_some(names)}" for kind, names in gaps.items() if names)
        msg = f"{who} must hold exactly the tensors of its architecture; {found}. Name the one it was trained as."
        raise ValueError(msg)
    module.load_state_dict(dict(tensors))
    return module


def shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of tensors by name, without the counters that only training reads."""
    return {name: tuple(value.shape) for name, value in tensors.items() if not name.endswith(_COUNTER)}


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """Return the sha256 of names, types, shapes and numbers."""
    total = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        total.update(repr((name, str(value.dtype), tuple(value.shape))).encode())
        total.update(value.detach().cpu().flatten().contiguous().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def _unpickled(file: Path) -> Any:
    """Return what torch saved: plain data, and the Namespace in which training scripts keep their options."""
    zipped = zipfile.is_zipfile(file)
    if zipped:
        with zipfile.ZipFile(file) as archive:
            inflated = sum(member.file_size for member in archive.infolist())
        if inflated > file.stat().st_size:
            msg = f"its members would become {inflated} bytes, and torch compresses none"
            raise ValueError(msg)
    with torch.serialization.safe_globals([argparse.Namespace]):
        return torch.load(file, map_location="cpu", weights_only=True, mmap=zipped)


def _unwrapped(found: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(_NESTED):
        inner = next((found[name] for name in WRAPPERS if isinstance(found.get(name), Mapping)), None)
        if inner is None:
            return found
        found = inner
    return {}  # one that holds itself holds no tensors


def _bare(found: Mapping[str, Any], file: Path) -> dict[str, Tensor]:
    sound = all(isinstance(name, str) and isinstance(value, Tensor) for name, value in found.items())
    if not found or not sound:
        held = sorted(map(str, found))
        msg = f"{file} must hold tensors by name, bare or under one of {WRAPPERS}; it holds {held}."
        raise ValueError(msg)
    while prefix := next((one for one in PREFIXES if all(name.startswith(one) for name in found)), ""):
        found = {name.removeprefix(prefix): value for name, value in found.items()}
    return dict(found)


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
