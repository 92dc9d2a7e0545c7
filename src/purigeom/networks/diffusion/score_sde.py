"""Song et al.'s DDPM++ networks of the VP-SDE, as `score_sde_pytorch` saves them: DiffPure's for CIFAR-10."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

import torch
from torch import nn

from purigeom.networks.diffusion.answers import Direct
from purigeom.networks.diffusion.architecture import SONG, Architecture, stages
from purigeom.networks.diffusion.layout import Entry, Form, Format, Layout, layer, layers
from purigeom.networks.diffusion.published import PublishedNetwork
from purigeom.networks.diffusion.schedule import LEVELS

DDPMPP = Architecture(size=32, width=128, multipliers=(1, 2, 2, 2), blocks=4, attention=(16,))
"""`cifar10_ddpmpp` and `cifar10_ddpmpp_continuous`."""
DDPMPP_DEEP = Architecture(size=32, width=128, multipliers=(1, 2, 2, 2), blocks=8, attention=(16,))
"""`cifar10_ddpmpp_deep_continuous`, whose `checkpoint_8.pth` DiffPure uses."""

_LAYERS = {
    "norm_in": "GroupNorm_0",
    "conv_in": "Conv_0",
    "time": "Dense_0",
    "norm_out": "GroupNorm_1",
    "conv_out": "Conv_1",
    "shortcut": "Conv_2",
}
_LIMITS = (
    "Read are DDPM++ networks of the VP-SDE in score_sde_pytorch's layout: not NCSN++, whose FIR filters are not "
    "computed here, and not networks of the VE-SDE, which no purifier here asks."
)


@dataclass(frozen=True, repr=False)
class ScoreSDE(PublishedNetwork):
    """A noise predictor: a file of `score_sde_pytorch`, a whole training checkpoint or its tensors alone.

    Time is what the network was trained on: 999 times the VP-SDE's, which at whole numbers is the level's index, as
    Lee and Kim (2023) ask it. Of a training checkpoint the averaged weights are taken.
    """

    continuous: ClassVar[bool] = True
    architecture: Architecture = DDPMPP_DEEP

    def built(self, tensors: Mapping[str, Any]) -> nn.Module:
        return Direct(self.network(FORMAT, _unwrapped(self.checkpoint, tensors)))


def _unwrapped(checkpoint: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file's tensors by name; the averages of a training checkpoint come in the order of the parameters."""
    if "model" in content and "ema" in content:
        names = [name for name in content["model"] if name.removeprefix("module.") != "sigmas"]
        averages = content["ema"]["shadow_params"]
        if len(names) != len(averages):
            msg = (
                f"ScoreSDE({checkpoint!r}) must hold one average for each of its {len(names)} parameters; it holds "
                f"{len(averages)}. Fetch the checkpoint again."
            )
            raise ValueError(msg)
        content = dict(zip(names, averages, strict=True))
    return {name.removeprefix("module."): tensor for name, tensor in content.items()}


def _layout(architecture: Architecture, present: Collection[str]) -> Layout:
    return Layout(tuple(_entries(architecture, present)), {"sigmas": (LEVELS,)})


def _entries(architecture: Architecture, present: Collection[str]) -> Iterator[Entry]:
    """Yield all entries: a file numbers its parts in the order in which a state passes them."""
    part = (f"all_modules.{number}" for number in count())
    for ours in ("time.0", "time.1", "inlet"):
        yield from layer(ours, next(part))
    for number, stage in enumerate(stages(architecture, SONG)):
        yield from layers(f"blocks.{number}", next(part), _LAYERS, present)
        if stage.attends:
            yield from _attention(f"blocks.{number}.attention", next(part))
    for ours in ("norm", "outlet"):
        yield from layer(ours, next(part))


_STACKED = Form(lambda bias: bias.chunk(3), lambda *biases: torch.cat(biases))
_MATRIX = Form(lambda weight: (weight.flatten(1).T,), lambda matrix: matrix.T[..., None, None])
_MATRICES = Form(
    lambda weight: tuple(part.flatten(1).T for part in weight.chunk(3)),
    lambda *matrices: torch.cat([matrix.T for matrix in matrices])[..., None, None],
)


def _attention(ours: str, theirs: str) -> Iterator[Entry]:
    """Yield attention, whose projections a file keeps as matrices from inputs, its rows, to outputs."""
    yield from layer(f"{ours}.norm", f"{theirs}.GroupNorm_0")
    yield Entry(f"{ours}.projections.weight", tuple(f"{theirs}.NIN_{part}.W" for part in range(3)), _MATRICES)
    yield Entry(f"{ours}.projections.bias", tuple(f"{theirs}.NIN_{part}.b" for part in range(3)), _STACKED)
    yield Entry(f"{ours}.out.weight", (f"{theirs}.NIN_3.W",), _MATRIX)
    yield Entry(f"{ours}.out.bias", (f"{theirs}.NIN_3.b",))


FORMAT = Format(SONG, _layout, _LIMITS)
