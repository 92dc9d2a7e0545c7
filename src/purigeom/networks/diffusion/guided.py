"""Dhariwal and Nichol's unconditional networks, as `guided-diffusion` saves them: DiffPure's for ImageNet."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from purigeom.networks.diffusion.answers import Direct
from purigeom.networks.diffusion.architecture import DHARIWAL, Architecture, Stage, stages
from purigeom.networks.diffusion.layout import (
    SAME,
    Entry,
    Format,
    Layout,
    by_heads,
    in_one_dimension,
    layer,
    layers,
)
from purigeom.networks.diffusion.published import PublishedNetwork

IMAGENET_256 = Architecture(
    size=256, width=256, multipliers=(1, 1, 2, 2, 4, 4), blocks=2, attention=(32, 16, 8), outputs=6, head=64
)
"""`256x256_diffusion_uncond`; the LSUN networks have the same sizes."""

_LAYERS = {
    "norm_in": "in_layers.0",
    "conv_in": "in_layers.2",
    "time": "emb_layers.1",
    "norm_out": "out_layers.0",
    "conv_out": "out_layers.3",
    "shortcut": "skip_connection",
}
_LIMITS = (
    "Read are unconditional networks of guided-diffusion with resblock_updown and scale-shift norm: not those of "
    "classes, which have a label_emb, and not upsamplers."
)


@dataclass(frozen=True, repr=False)
class GuidedDiffusion(PublishedNetwork):
    """A noise predictor: a file of `guided-diffusion`, of an unconditional network of the linear schedule.

    Where it has learnt variances too, they are not used.
    """

    architecture: Architecture = IMAGENET_256

    def built(self, tensors: Mapping[str, Any]) -> nn.Module:
        return Direct(self.network(FORMAT, tensors))


def _layout(architecture: Architecture, present: Collection[str]) -> Layout:
    blocks = stages(architecture, DHARIWAL)
    entries = [
        *layer("time.0", "time_embed.0"),
        *layer("time.1", "time_embed.2"),
        *layer("inlet", "input_blocks.0.0"),
        *layer("norm", "out.0"),
        *layer("outlet", "out.2"),
    ]
    for number, (stage, (group, index)) in enumerate(zip(blocks, _places(blocks), strict=True)):
        ours = f"blocks.{number}"
        entries += layers(ours, f"{group}.{index}", _LAYERS, present)
        if stage.attends:
            heads = stage.outputs // (architecture.head or stage.outputs)
            entries += _attention(f"{ours}.attention", f"{group}.{index + 1}", heads)
    return Layout(tuple(entries))


def _places(blocks: list[Stage]) -> Iterator[tuple[str, int]]:
    """Yield the group of each block and its place there: what upsamples belongs to the group before it."""
    inputs = middle = outputs = 0
    index = 0
    for stage in blocks:
        if stage.place == "encoder":
            inputs += 1
            yield f"input_blocks.{inputs}", 0
        elif stage.place == "middle":
            yield "middle_block", middle
            middle += 2
        elif stage.joins:
            outputs += 1
            index = 2 if stage.attends else 1
            yield f"output_blocks.{outputs - 1}", 0
        else:
            yield f"output_blocks.{outputs - 1}", index


def _attention(ours: str, theirs: str, heads: int) -> Iterator[Entry]:
    form = by_heads(heads, alternating=False)
    yield from layer(f"{ours}.norm", f"{theirs}.norm")
    yield Entry(f"{ours}.projections.weight", (f"{theirs}.qkv.weight",), in_one_dimension(form))
    yield Entry(f"{ours}.projections.bias", (f"{theirs}.qkv.bias",), form)
    yield Entry(f"{ours}.out.weight", (f"{theirs}.proj_out.weight",), in_one_dimension(SAME))
    yield Entry(f"{ours}.out.bias", (f"{theirs}.proj_out.bias",))


FORMAT = Format(DHARIWAL, _layout, _LIMITS)
