"""How a published file keeps the tensors of a network: its names and shapes, there and back."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from purigeom.networks.diffusion.architecture import Architecture, Style


@dataclass(frozen=True)
class Form:
    """How one of our tensors becomes those of a file, and how it is made of them again."""

    written: Callable[[Tensor], tuple[Tensor, ...]]
    read: Callable[..., Tensor]


SAME = Form(lambda tensor: (tensor,), lambda tensor: tensor)


@dataclass(frozen=True)
class Entry:
    """One of our tensors and the file's tensors that hold it."""

    ours: str
    theirs: tuple[str, ...]
    form: Form = SAME


@dataclass(frozen=True)
class Layout:
    """All entries of a file, and by name and shape what it may hold besides, of which predictions make no use."""

    entries: tuple[Entry, ...]
    besides: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Format:
    """A kind of file: its network's style, its layout given the layers that there are, and what is no such file."""

    style: Style
    layout: Callable[[Architecture, Collection[str]], Layout]
    limits: str


def layer(ours: str, theirs: str) -> Iterator[Entry]:
    """Yield the weight and the bias of a layer that a file keeps as we do."""
    for part in ("weight", "bias"):
        yield Entry(f"{ours}.{part}", (f"{theirs}.{part}",))


def layers(ours: str, theirs: str, names: Mapping[str, str], present: Collection[str]) -> Iterator[Entry]:
    """Yield a block's layers by our names and the file's, as far as the block has such layers."""
    for our_name, their_name in names.items():
        if f"{ours}.{our_name}.weight" in present:
            yield from layer(f"{ours}.{our_name}", f"{theirs}.{their_name}")


def by_heads(heads: int, *, alternating: bool) -> Form:
    """Return the form of projections that a file keeps head by head.

    Within a head, all queries precede all keys and these all values, or the three alternate channel by channel.
    """
    place, shape = (2, (heads, -1, 3)) if alternating else (1, (heads, 3, -1))
    return Form(
        lambda rows: (rows.unflatten(0, (3, heads, -1)).movedim(0, place).flatten(0, 2),),
        lambda rows: rows.unflatten(0, shape).movedim(place, 0).flatten(0, 2),
    )


def in_one_dimension(form: Form) -> Form:
    """Return the form of a convolution over single pixels that a file keeps as one over sequences."""
    return Form(
        lambda tensor: tuple(part.squeeze(-1) for part in form.written(tensor)),
        lambda *parts: form.read(*(part.unsqueeze(-1) for part in parts)),
    )


def published(layout: Layout, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return our tensors as a file keeps them."""
    return {
        name: tensor
        for entry in layout.entries
        for name, tensor in zip(entry.theirs, entry.form.written(state[entry.ours]), strict=True)
    }


def ours(layout: Layout, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a file's tensors as our network has them."""
    return {entry.ours: entry.form.read(*(state[name] for name in entry.theirs)) for entry in layout.entries}


def misfit(layout: Layout, needed: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """Return in words what a file lacks, has too much of, or has in other shapes; nothing where it fits."""
    shapes = {name: tuple(tensor.shape) for name, tensor in published(layout, needed).items()}
    known = {**shapes, **layout.besides}
    missing = [name for name in shapes if name not in found]
    unknown = [name for name in found if name not in known]
    other = [
        f"{name} is {tuple(found[name].shape)} instead of {shape}"
        for name, shape in known.items()
        if name in found and tuple(found[name].shape) != shape
    ]
    faults = {"lacks": missing, "has besides": unknown, "has other shapes": other}
    return "; ".join(f"it {verb} {_few(names)}" for verb, names in faults.items() if names)


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
