"""What `purigeom list` prints: the catalogue by name, and what its purifiers are and cost."""

from collections.abc import Mapping

import torch

from purigeom import catalog
from purigeom.catalog.papers import paper
from purigeom.cost import counted
from purigeom.noise import Noise
from purigeom.protocols import RandomMap, declaration

ROOMS: Mapping[str, Mapping[str, object]] = {
    "purifiers": catalog.PURIFIERS,
    "attacks": catalog.ATTACKS,
    "displacements": catalog.DISPLACEMENTS,
    "classifiers": catalog.CLASSIFIERS,
    "images": catalog.IMAGES,
}
GREY, COLOURS = (1, 8, 8), (3, 32, 32)
HEADER = ("name", "family", "paper", "random", "differentiability", "network calls")


def catalogue(room: str | None = None) -> str:
    """Return every name of the catalogue with its description, or what there is to say of one room."""
    if room is None:
        return "\n".join(_described(name, entries) for name, entries in ROOMS.items())
    if room not in ROOMS:
        msg = f"{room!r} is no part of the catalogue: choose one of {list(ROOMS)}."
        raise ValueError(msg)
    return purifiers_told() if room == "purifiers" else _described(room, ROOMS[room])


def purifiers_told() -> str:
    """Return a table of all purifiers: what they declare, and what one image tells of randomness and cost."""
    rows = [HEADER, *(_row(name, purifier) for name, purifier in catalog.PURIFIERS.items())]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADER))]
    lines = ("  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _described(room: str, entries: Mapping[str, object]) -> str:
    return "\n".join([f"{room}:", *(f"  {name:26} {thing!r}" for name, thing in entries.items())])


def _row(name: str, purifier: RandomMap) -> tuple[str, ...]:
    said = declaration(purifier)
    random, calls = asked(purifier, COLOURS if name in catalog.CIFAR10_PURIFIERS else GREY)
    return name, said.family, paper(purifier), random, said.differentiability, calls


@torch.no_grad()
def asked(purifier: RandomMap, shape: tuple[int, ...]) -> tuple[str, str]:
    """Return whether two configurations differ on one image, and how often networks are asked; dashes without them."""
    images = (torch.arange(torch.Size(shape).numel()).reshape(1, *shape) % 7) / 6
    try:
        with counted() as evaluations:
            first, second = (purifier.pin(Noise(seed, (0,)), shape)(images) for seed in (0, 1))
    except FileNotFoundError:
        return "-", "-"
    return ("no" if torch.equal(first, second) else "yes"), str(evaluations.count // 2)
