"""Pictures in a folder or a zip, decoded when they are loaded."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

import torch

from purigeom.images.parts import part, set_digest
from purigeom.images.pictures import image, labels_by_folder, labels_by_name, listed, read
from purigeom.images.places import located
from purigeom.protocols import Batch

Labels: TypeAlias = Literal["folder", "name"]


@dataclass(frozen=True)
class ImageFolder:
    """Pictures in a folder or a zip, in the order of their names; only those of the slice are decoded.

    A picture becomes RGB; its shorter side is resized to `resize` pixels, bicubic and antialiased, the longer one in
    proportion, rounded down; the `size` x `size` pixels in its centre are kept. One whose shorter side is `resize`
    already is not resized. An image's id is its place among the names.

    Parameters
    ----------
    path
        The folder or zip; `$PURIGEOM_DATA/...` is looked for in the data folders, and has the same key everywhere.
    size, resize
        Pixels of a side after and before the crop.
    labels
        `folder`: the place of the picture's folder among all folders, or no labels where the pictures are in none;
        `name`: the whole number with which a file's name begins.

    Examples
    --------
    >>> ImageFolder("pictures", size=32, resize=32)
    ImageFolder(path='pictures', size=32, resize=32, labels='folder', start=0, stop=None)
    """

    path: str
    size: int = 224
    resize: int = 256
    labels: Labels = "folder"
    start: int = 0
    stop: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.size <= self.resize:
            msg = (
                "ImageFolder.size must be at least 1 and at most resize, so that the crop is inside; got "
                f"size={self.size}, resize={self.resize}."
            )
            raise ValueError(msg)
        if self.labels not in get_args(Labels):
            msg = f"ImageFolder.labels must be one of {get_args(Labels)}; got {self.labels!r}."
            raise ValueError(msg)

    def __getitem__(self, places: slice) -> "ImageFolder":
        start, stop = part(self.start, len(self), places)
        return replace(self, start=start, stop=stop)

    def __len__(self) -> int:
        return len(self.ids())

    def ids(self) -> tuple[int, ...]:
        """Return the places among the names."""
        return tuple(range(len(listed(located(self.path))[0]))[self.start : self.stop])

    def load(self) -> Batch:
        """Return images, labels and ids."""
        root = located(self.path)
        names, folders = listed(root)
        ids = range(len(names))[self.start : self.stop]
        chosen = [names[place] for place in ids]
        images = [image(content, self.size, self.resize, f"{root}/{name}") for name, content in read(root, chosen)]
        stacked = torch.stack(images) if images else torch.zeros(0, 3, self.size, self.size)
        labels = labels_by_name(chosen) if self.labels == "name" else labels_by_folder(chosen, folders)
        return Batch(stacked, labels, tuple(ids))

    def content(self) -> str:
        """Return the digest of images, labels and ids."""
        return set_digest(self)
