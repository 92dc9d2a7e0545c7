"""The sentences that name what is suspicious of a defence; empty where nothing is."""

from torch import Tensor

from purigeom.defence.defended import Defended
from purigeom.protocols import Batch

FOLLOWED = 0.3
"""How far from one the slope along a gradient may be, relative to its length: kinks cost a few per cent."""
REACHED = 0.1
"""Least part that the margin must change by over a radius, of what its gradient says: networks bend mildly."""
MISSED = 0.3
"""How much of what random displacements change a gradient may leave out: honest networks leave one per cent."""


def hidden_told(hidden: Tensor, drawn: tuple[str, ...], defence: Defended) -> str:
    """Say that a defence is random behind its pin, and where that comes from."""
    if not hidden.any():
        return ""
    drawn = tuple(dict.fromkeys(drawn))
    source = f"it draws from {' and '.join(drawn)} global generator" if drawn else "it keeps a generator of its own"
    return (
        f"Hidden randomness: {defence!r} answers the same question in more than one way, or might; {source}. Attack "
        "and judge meet different defences; draw its noise from the Noise it is pinned with."
    )


def optimised_told(turned_on: str, defence: Defended) -> str:
    """Say that a defence takes gradients of its own."""
    if not turned_on:
        return ""
    return (
        f"Test-time optimisation: {defence!r} ran {turned_on} with gradients turned on while they were off. Its exact "
        "gradient needs those of what it optimises; BPDA() passes it by."
    )


def shattered_told(followed: Tensor, reached: Tensor, batch: Batch) -> str:
    """Say for which images the margin does not change along its gradient as that says, near or far."""
    apart = ((followed - 1).abs() > FOLLOWED) | (reached < REACHED)
    return _of_images("Shattered gradients: the margin does not change along its gradient as that says", apart, batch)


def missed_told(missed: Tensor, followed: Tensor, batch: Batch) -> str:
    """Say for which images the gradient is right, as far as it goes, and a part of the true one."""
    return _of_images(
        "Cut gradients: the margin changes along what its gradient leaves out",
        (missed > MISSED) & ((followed - 1).abs() <= FOLLOWED),
        batch,
    )


def masked_told(masked: Tensor, batch: Batch) -> str:
    """Say for which images there is no gradient though there should be."""
    return _of_images("Masked gradients: the margin changes, and its gradient is zero or missing", masked, batch)


def _of_images(fault: str, found: Tensor, batch: Batch) -> str:
    ids = [batch.image_ids[place] for place in found.nonzero().flatten().tolist()]
    if not ids:
        return ""
    return (
        f"{fault}, for {len(ids)} of {len(batch)} images, such as {ids[:5]}. Take BPDA(), EOT() or an attack that asks "
        "for no gradient."
    )
