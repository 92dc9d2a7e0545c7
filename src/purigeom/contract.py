"""The laws of a purifier, checked: on every answer cheaply, and on a few images thoroughly."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from purigeom.geometry.chain import Chain
from purigeom.noise import Noise
from purigeom.protocols import Batch, ImageMap, RandomMap, declaration

SAME_IMAGE = 1e-4
"""Largest accepted change of a pixel with the batch: float32 kernels differ by 1e-6 per network call."""
FARTHEST = 100.0
"""Images lie in [0, 1]; a pixel beyond this, either way, is that of a run that has diverged."""


class BrokenImagesError(ValueError):
    """Raised where a purifier makes NaN, infinity or runaway pixels of some images; others may still be measured."""

    def __init__(self, sentence: str, image_ids: tuple[int, ...]) -> None:
        super().__init__(sentence)
        self.image_ids = image_ids

    def __reduce__(self) -> tuple[type, tuple[str, tuple[int, ...]]]:
        return type(self), (self.args[0], self.image_ids)


@dataclass(frozen=True)
class Checked:
    """A purifier whose every answer is checked for its shape, for NaN and for having run away."""

    purifier: RandomMap

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        """Return the pinned map; it raises where its input or its answer breaks a law."""
        image_map = self.purifier.pin(noise, image_shape)

        def purify(images: Tensor) -> Tensor:
            _check_finite(images, f"{self.purifier!r} was given", noise)
            purified = _called(self.purifier, image_map, images, noise)
            if purified.shape != images.shape:
                msg = (
                    f"{self.purifier!r} must keep the shape of images; it made {tuple(purified.shape)} of "
                    f"{tuple(images.shape)}. Resize inside the purifier."
                )
                raise ValueError(msg)
            if _lost(purified).any():
                where = _first_broken_step(image_map, images)
                _check_finite(purified, f"{self.purifier!r} returned{where}", noise)
            return purified

        return purify


def _called(purifier: RandomMap, image_map: ImageMap, images: Tensor, noise: Noise) -> Tensor:
    try:
        purified = image_map(images)
    except Exception as error:
        msg = f"{purifier!r} raised {type(error).__name__} on images {list(noise.image_ids[:5])}...: {error}"
        raise RuntimeError(msg) from error
    if not isinstance(purified, Tensor):
        msg = f"{purifier!r} must return a tensor of images; it returned {type(purified).__name__}."
        raise TypeError(msg)
    return purified


def verify(purifier: RandomMap, batch: Batch, noise: Noise) -> None:
    """Raise ValueError naming the law that a purifier breaks on a batch; two images are enough."""
    shape = tuple(batch.images.shape[1:])
    checked = Checked(purifier)
    given = batch.images.clone()
    checked.pin(noise, shape)(given)
    if not torch.equal(given, batch.images):
        raise ValueError(_broken(purifier, "changes its input in place", batch.images, given))
    once, again = (checked.pin(noise, shape)(batch.images) for _ in range(2))
    if not torch.equal(once, again):
        raise ValueError(_broken(purifier, "hides randomness: the same noise gave other images", once, again))
    pinned = checked.pin(noise, shape)
    pinned(batch.images)
    again = pinned(batch.images)
    if not torch.equal(once, again):
        raise ValueError(_broken(purifier, "changes from call to call of one pinned map", once, again))
    _verify_independence(checked, batch, noise, once)
    if declaration(purifier).range == "clamped" and not ((once >= 0) & (once <= 1)).all():
        msg = f"{purifier!r} declares the range clamped, but answers {once.min():.4g} to {once.max():.4g}."
        raise ValueError(msg)


def _verify_independence(checked: Checked, batch: Batch, noise: Noise, together: Tensor) -> None:
    """Compare every image alone with itself in the batch and beside its own negative."""
    shape = tuple(batch.images.shape[1:])
    for place, image_id in enumerate(batch.image_ids):
        image, answer = batch.images[place : place + 1], together[place : place + 1]
        own = replace(noise, image_ids=(image_id,))
        alone = checked.pin(own, shape)(image)
        both = torch.cat([image, 1 - image])  # of the negative nothing is asked, not even to be finite
        beside = _called(checked.purifier, checked.purifier.pin(own.repeat(2), shape), both, own)[:1]
        for other in (alone, beside):
            if not torch.allclose(answer, other, rtol=0, atol=SAME_IMAGE):
                law = f"couples images of a batch: image {image_id} depends on its company"
                raise ValueError(_broken(checked.purifier, law, answer, other))


def _broken(purifier: RandomMap, law: str, answer: Tensor, other: Tensor) -> str:
    gap = (answer - other).abs().max().item()
    return (
        f"{purifier!r} {law} (pixels differ by {gap:.2g}). A pinned purifier must draw all noise from the "
        "Noise it was pinned with and treat images one by one."
    )


def _lost(images: Tensor) -> Tensor:
    """Return which pixels are no number, or further away than any purifier that converges leaves them."""
    return ~(images.abs() <= FARTHEST)


def _check_finite(images: Tensor, who: str, noise: Noise) -> None:
    broken = _lost(images).flatten(1).any(1).nonzero().flatten().tolist()
    if broken:
        far = bool(images.isfinite().all())
        what = f"pixels as far as {images.abs().max().item():.3g}, which has diverged," if far else "NaN or infinity"
        ids = tuple(dict.fromkeys(noise.image_ids[place] for place in broken))
        others = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        look = "Take smaller steps or a smaller scale" if far else "Look at that image, its weights and its type"
        msg = f"{who} {what} for image {ids[0]}{others}. {look}."
        raise BrokenImagesError(msg, ids)


def _first_broken_step(image_map: ImageMap, images: Tensor) -> str:
    if not isinstance(image_map, Chain):
        return ""
    with torch.no_grad():
        states = image_map.states(images)
    first = next((index for index, state in enumerate(states) if _lost(state).any()), None)
    if first is None:
        return ", but not when it was asked again,"
    return f", first in step {first} of {len(image_map.steps)},"
