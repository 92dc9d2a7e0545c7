"""What one unit of work asks of images in memory, so that no others go along where it is sent."""

from dataclasses import dataclass

from purigeom.images import InMemory, batch_digest, checked
from purigeom.protocols import Batch, ImageSet


@dataclass(frozen=True, eq=False)
class Excerpt:
    """Some of the images of a batch in memory: held with all others here, and sent without them.

    Parameters
    ----------
    batch
        All images.
    places
        Which of them.
    """

    batch: Batch
    places: tuple[int, ...]

    def load(self) -> Batch:
        """Return images, labels and ids."""
        return checked(self.batch[list(self.places)])

    def content(self) -> str:
        """Return the digest of images, labels and ids."""
        return batch_digest(self.load())

    def __reduce__(self) -> tuple[type, tuple[Batch]]:
        return InMemory, (self.load(),)


def excerpt(images: ImageSet, places: slice, first: int) -> tuple[ImageSet, slice]:
    """Return a set of no more images in memory than the first few and those at some places, and where these are in it.

    Sets that are not held in memory are returned as they are.

    Examples
    --------
    >>> import torch
    >>> nine = InMemory(Batch(torch.zeros(9, 1, 4, 4), None, tuple(range(9))))
    >>> some, places = excerpt(nine, slice(6, 8), first=2)
    >>> some.load().image_ids, places
    ((0, 1, 6, 7), slice(2, 4, None))
    """
    if not isinstance(images, InMemory):
        return images, places
    gap = max(0, places.start - first)
    kept = [*range(min(first, len(images.batch))), *range(max(first, places.start), places.stop)]
    return Excerpt(images.batch, tuple(kept)), slice(places.start - gap, places.stop - gap)
