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
    """Return the ids of a set's images; of one that can be cut, only the first and the last image are loaded.

    Raises
    ------
    ValueError
        Where ids are no ids, or where a set that looks as if it could be cut is not what it says.
    """
    ids = _told(images) if isinstance(images, Cut) else images.load().image_ids
    wrong = [one for one in ids if type(one) is not int or not -(2**63) <= one < 2**63]
    if wrong or len(set(ids)) < len(ids):
        fault = f"{wrong[0]!r} is a {type(wrong[0]).__name__}" if wrong else "some are the same"
        msg = f"The ids of {images!r} must be Python's whole numbers of at most 64 bits, each another; {fault}."
        raise ValueError(msg)
    return ids


def _told(images: Cut) -> tuple[int, ...]:
    """Return the ids that a set tells; raise ValueError unless its parts and its length have them too."""
    try:
        ids = tuple(images.ids())
        ends = (slice(0, 1), slice(max(0, len(ids) - 1), len(ids)))
        found = [images[end].load().image_ids == ids[end] for end in ends if ids]
        same = all(found) and getattr(images, "__len__", ids.__len__)() == len(ids)
        fault = "" if same else "Its length, or its first or last image, says otherwise"
    except (TypeError, AttributeError, IndexError) as error:
        fault = f"{type(error).__name__}: {error}"
    if fault:
        msg = (
            f"{images!r} has `ids` and `[]`, and so must be a set that can be cut (purigeom.protocols.Cut): ids() "
            f"tells the ids of all its images, images[first:last] is a set of some of them, with these ids. {fault}."
        )
        raise ValueError(msg)
    return ids


def loaded(images: ImageSet, places: slice) -> Batch:
    """Return some images of a set, checked; no others are loaded where the set can be cut."""
    return checked(images[places].load()) if isinstance(images, Cut) else checked(images.load())[places]


def set_digest(images: Cut) -> str:
    """Return the digest that `batch_digest` returns of a set's whole batch, of one part after another."""
    ids = images.ids()
    starts = range(0, max(1, len(ids)), DIGESTED_AT_ONCE)
    return batches_digest(ids, (images[start : start + DIGESTED_AT_ONCE].load() for start in starts))
