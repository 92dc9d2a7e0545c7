"""Tiny networks in published layouts, which tests make and save themselves, and what is known of the published code."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from purigeom.networks.diffusion import edm, guided, score_sde
from purigeom.networks.diffusion.architecture import Architecture
from purigeom.networks.diffusion.layout import Format, published
from purigeom.networks.diffusion.network import Network


@dataclass(frozen=True)
class Kind:
    """A kind of published network: its description, its format, and a tiny architecture of it."""

    description: type
    format: Format
    tiny: Architecture


KINDS = {
    "score-SDE": Kind(
        score_sde.ScoreSDE,
        score_sde.FORMAT,
        Architecture(size=8, width=16, multipliers=(1, 2), blocks=2, attention=(4,)),
    ),
    "guided-diffusion": Kind(
        guided.GuidedDiffusion,
        guided.FORMAT,
        Architecture(size=8, width=32, multipliers=(1, 2), blocks=1, attention=(4,), outputs=6, head=16),
    ),
    "EDM": Kind(edm.EDM, edm.FORMAT, Architecture(size=8, width=16, multipliers=(2, 2), blocks=2, attention=(4,))),
}


def shapes(kind: Format, architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of a file, with all that it may hold besides."""
    with torch.device("meta"):
        state = Network(architecture, kind.style).state_dict()
    layout = kind.layout(architecture, state)
    return {**{name: tuple(tensor.shape) for name, tensor in published(layout, state).items()}, **layout.besides}


def digest(named_shapes: dict[str, tuple[int, ...]]) -> str:
    lines = (f"{name} {shape}" for name, shape in sorted(named_shapes.items()))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def filled(named_shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Return tensors that anyone can make again: waves, of which the place of a name among all is the phase."""
    tensors = {}
    for place, (name, shape) in enumerate(sorted(named_shapes.items())):
        numbers = torch.Size(shape).numel()
        wave = torch.sin(0.7 * torch.arange(numbers, dtype=torch.float64) + place).reshape(shape)
        if len(shape) == 1:
            tensor = 0.1 * wave + float(name.endswith("weight"))
        else:
            tensor = 1.5 * wave / (numbers / shape[0]) ** 0.5
        tensors[name] = tensor.float()
    return tensors


def tiny_tensors(name: str) -> dict[str, Tensor]:
    """Return a tiny network's tensors in its published layout, without what is no parameter."""
    kind = KINDS[name]
    named = shapes(kind.format, kind.tiny)
    return filled({key: shape for key, shape in named.items() if key != "sigmas" and "resample_filter" not in key})


def random_tensors(name: str) -> dict[str, Tensor]:
    """Return tensors of the same names and shapes that are normal: their network is smooth, as trained ones are."""
    generator = torch.Generator().manual_seed(0)
    drawn = {key: torch.randn(tensor.shape, generator=generator) for key, tensor in tiny_tensors(name).items()}
    return {
        key: 0.7 * tensor / (tensor.numel() / len(tensor)) ** 0.5
        if tensor.dim() > 1
        else 0.1 * tensor + float(key.endswith("weight"))
        for key, tensor in drawn.items()
    }


def saved(name: str, folder: Path, tensors: dict[str, Tensor] | None = None):
    """Save a tiny network, of waves unless told otherwise, and return its description."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tiny_tensors(name) if tensors is None else tensors, folder / "tiny.safetensors")
    return KINDS[name].description(folder / "tiny.safetensors", KINDS[name].tiny)


def waves(size: int, channels: int = 3) -> Tensor:
    """Return two states of waves, in float64."""
    numbers = torch.arange(2 * channels * size * size, dtype=torch.float64)
    return torch.sin(0.37 * numbers).reshape(2, channels, size, size)
