"""Parts of image sets: a set that can be cut is never held whole, whatever it is asked for."""

from purigeom.images.checks import DIGESTED_AT_ONCE, batches_digest, checked
from purigeom.protocols import Batch, Cut, ImageSet


def part(start: int, length: int, places: slice) -> tuple[int, int]:
    """Return where a part of a part of an image set begins and ends in the whole set."""
    first, last, step = places.indices(length)
    if step != 1:
        msg = f"Image sets can be sliced in steps of one; got a step of {step}."
        raise ValueError(msg)
    return start + first, start + max(first, last)


def ids_of(images: ImageSet) -> tuple[int, ...]:
    """Return the ids of a set's images, without loading these where the set can tell."""
    return images.ids() if isinstance(images, Cut) else images.load().image_ids


def loaded(images: ImageSet, places: slice) -> Batch:
    """Return some images of a set, checked; no others are loaded where the set can be cut."""
    return checked(images[places].load()) if isinstance(images, Cut) else checked(images.load())[places]


def set_digest(images: Cut) -> str:
    """Return the digest that `batch_digest` returns of a set's whole batch, of one part after another."""
    ids = images.ids()
    starts = range(0, max(1, len(ids)), DIGESTED_AT_ONCE)
    return batches_digest(ids, (images[start : start + DIGESTED_AT_ONCE].load() for start in starts))
