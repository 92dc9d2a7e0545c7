"""Karras et al.'s DDPM++ networks, which denoise at any noise level, asked for the noise that purifiers ask for."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from purigeom.networks.diffusion.answers import Preconditioned
from purigeom.networks.diffusion.architecture import SONG, Architecture, Stage, stages
from purigeom.networks.diffusion.layout import Entry, Format, Layout, by_heads, layer, layers
from purigeom.networks.diffusion.published import PublishedNetwork

CIFAR10_VP = Architecture(size=32, width=128, multipliers=(2, 2, 2), blocks=4, attention=(16,))
"""`edm-cifar10-32x32-uncond-vp`."""

_LAYERS = {
    "norm_in": "norm0",
    "conv_in": "conv0",
    "time": "affine",
    "norm_out": "norm1",
    "conv_out": "conv1",
    "shortcut": "skip",
}
_LIMITS = (
    "Read are unconditional DDPM++ networks ('vp') with EDM's preconditioning, whose state_dict() was saved where "
    "EDM's own code runs: not NCSN++ ('ve') nor ADM, and not those of classes, which have a map_label."
)


@dataclass(frozen=True, repr=False)
class EDM(PublishedNetwork):
    """A noise predictor: the state of an unconditional 'vp' network of EDM, saved where EDM's own code runs.

    A state of signal level a is the noisy image of deviation sqrt((1 - a) / a), scaled by sqrt(a): the noise is what
    the denoised image lacks to it, in units of that deviation. Whole time indices are levels of the linear schedule,
    others lie on the VP-SDE.
    """

    continuous: ClassVar[bool] = True
    architecture: Architecture = CIFAR10_VP

    def built(self, tensors: Mapping[str, Any]) -> nn.Module:
        return Preconditioned(self.network(FORMAT, tensors))


def _layout(architecture: Architecture, present: Collection[str]) -> Layout:
    """Return the layout; besides, a file has filters, which are plain means here, and labels of augmentation."""
    blocks, size = stages(architecture, SONG), architecture.size
    entries = [
        *layer("time.0", "model.map_layer0"),
        *layer("time.1", "model.map_layer1"),
        *layer("inlet", f"model.enc.{size}x{size}_conv"),
        *layer("norm", f"model.dec.{size}x{size}_aux_norm"),
        *layer("outlet", f"model.dec.{size}x{size}_aux_conv"),
    ]
    besides: dict[str, tuple[int, ...]] = {"model.map_augment.weight": (architecture.width, 9)}
    for number, (stage, theirs) in enumerate(zip(blocks, _places(blocks), strict=True)):
        entries += layers(f"blocks.{number}", theirs, _LAYERS, present)
        if stage.attends:
            heads = stage.outputs // (architecture.head or stage.outputs)
            entries += _attention(f"blocks.{number}.attention", theirs, heads)
        if stage.resampling:
            besides |= {f"{theirs}.{part}.resample_filter": (1, 1, 2, 2) for part in ("conv0", "skip")}
    return Layout(tuple(entries), besides)


def _places(blocks: list[Stage]) -> Iterator[str]:
    """Yield the name of each block: its way, its size, and what it does or which it is."""
    counts: Counter[tuple[str, int]] = Counter()
    for stage in blocks:
        part = stage.resampling or f"{'in' if stage.place == 'middle' else 'block'}{counts[stage.place, stage.size]}"
        counts[stage.place, stage.size] += not stage.resampling
        yield f"model.{'enc' if stage.place == 'encoder' else 'dec'}.{stage.size}x{stage.size}_{part}"


def _attention(ours: str, theirs: str, heads: int) -> Iterator[Entry]:
    form = by_heads(heads, alternating=True)
    yield from layer(f"{ours}.norm", f"{theirs}.norm2")
    yield from (Entry(f"{ours}.projections.{part}", (f"{theirs}.qkv.{part}",), form) for part in ("weight", "bias"))
    yield from layer(f"{ours}.out", f"{theirs}.proj")


FORMAT = Format(SONG, _layout, _LIMITS)
