"""The CIFAR image sets, as descriptions."""

from dataclasses import dataclass, field, replace

import torch

from purigeom.images.cifar.sources import pixels
from purigeom.images.cifar.splits import SPLITS, Name, Part
from purigeom.images.parts import part, set_digest
from purigeom.protocols import Batch


@dataclass(frozen=True)
class Cifar:
    """Small colour images: CIFAR-10 and CIFAR-100 (Krizhevsky, 2009), CIFAR-10.1 (Recht et al., 2018).

    An image's id is its place in its split, in the order of the source, after the ids of the split before: those of
    CIFAR-10's test images follow on the train images'. The train split has another order in the archive of mosaics than
    in the official batches; the digest of the bytes tells them apart. Slicing keeps the ids, and touches no file.

    Parameters
    ----------
    name
        Which set; `cifar10.1` is its version 6, which its authors recommend.
    split
        `test`, or `train`; the split `all` of CIFAR-100 are the 3,000 images of an archive in which train and
        test are merged.
    folder
        The only place to look. Not part of the `repr`, so that the same images have the same key everywhere.

    Examples
    --------
    >>> Cifar("cifar10")[:1000][500:]
    Cifar(name='cifar10', split='test', start=500, stop=1000)
    """

    name: Name = "cifar10"
    split: Part = "test"
    start: int = 0
    stop: int | None = None
    folder: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.name, self.split) not in SPLITS:
            known = sorted(" ".join(pair) for pair in SPLITS)
            msg = f"Cifar needs a name and split of {known}; got {self.name!r} and {self.split!r}."
            raise ValueError(msg)

    def __getitem__(self, places: slice) -> "Cifar":
        start, stop = part(self.start, len(self), places)
        return replace(self, start=start, stop=stop)

    def __len__(self) -> int:
        return len(self._places())

    def ids(self) -> tuple[int, ...]:
        """Return the places after those of the split before."""
        return tuple(SPLITS[self.name, self.split].first + place for place in self._places())

    def load(self) -> Batch:
        """Return images, labels and ids, from the first source that has them."""
        held, places = SPLITS[self.name, self.split], self._places()
        images, labels = pixels(held, self.folder, places)
        return Batch(torch.from_numpy(images).float().div_(255), torch.from_numpy(labels).long(), self.ids())

    def content(self) -> str:
        """Return the digest of images, labels and ids."""
        return set_digest(self)

    def _places(self) -> range:
        return range(SPLITS[self.name, self.split].images)[self.start : self.stop]
