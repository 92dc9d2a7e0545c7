"""The nouns of purigeom: a batch, an image set, a random map, a classifier, a measurement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

from torch import Tensor

from purigeom.noise import Noise

if TYPE_CHECKING:
    import xarray as xr

ImageMap: TypeAlias = Callable[[Tensor], Tensor]
Differentiability: TypeAlias = Literal["exact", "unrolled", "piecewise constant", "none"]
Range: TypeAlias = Literal["clamped", "unbounded"]


@dataclass(frozen=True)
class Batch:
    """Images in [0, 1] with shape (image, channel, row, column), their labels and their ids."""

    images: Tensor
    labels: Tensor | None
    image_ids: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.image_ids)

    def __getitem__(self, places: slice | Sequence[int]) -> "Batch":
        rows = range(len(self))[places] if isinstance(places, slice) else places
        labels = None if self.labels is None else self.labels[places]
        return Batch(self.images[places], labels, tuple(self.image_ids[row] for row in rows))


@dataclass(frozen=True)
class Declaration:
    """What a purifier says of itself: studies group by it, contract tests hold it to its word.

    Parameters
    ----------
    family
        The kind of method; a fit that is to hold for new kinds leaves one family out.
    network
        The name of the network inside, shared by all samplers of that network.
    differentiability
        Whether gradients through the pinned map are its true ones, those of an unrolled iteration, zero
        almost everywhere, or missing.
    range
        Whether every output lies in [0, 1].
    """

    family: str
    network: str | None = None
    differentiability: Differentiability = "exact"
    range: Range = "clamped"


@runtime_checkable
class RandomMap(Protocol):
    """A map of images that may use randomness: a purifier, or a classifier behind one.

    Laws of a pinned map, which `purigeom.contract` checks: it keeps the shape; the same noise gives the same
    images; an image's answer does not depend on the batch it travels in; no other randomness hides inside.
    """

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        """Fix all randomness; return a deterministic map of batches, differentiable unless it says otherwise."""
        ...


def declaration(purifier: RandomMap) -> Declaration:
    """Return what the purifier declares; a stranger that declares nothing promises least of its range."""
    unspoken = Declaration(family=type(purifier).__name__, range="unbounded")
    return getattr(purifier, "declaration", unspoken)


@runtime_checkable
class Classifier(Protocol):
    """The name of a trained network: cheap to send around, loaded where it is used."""

    def load(self) -> ImageMap:
        """Return the map from images in [0, 1] to logits."""
        ...


@runtime_checkable
class ImageSet(Protocol):
    """The name of some images: cheap to send around, loaded where it is used."""

    def load(self) -> Batch:
        """Return the images, their labels and their ids, which are global in the data set."""
        ...


@runtime_checkable
class Cut(ImageSet, Protocol):
    """An image set that names its images without loading them, and can be cut: of it, workers load what they need."""

    def ids(self) -> tuple[int, ...]:
        """Return the ids of the images, in order."""
        ...

    def __getitem__(self, places: slice) -> ImageSet:
        """Return the image set of some of the images."""
        ...


@runtime_checkable
class Displacement(Protocol):
    """A way to move images away from where they are."""

    @property
    def label(self) -> str:
        """Return the short name under which results are stored and drawn."""
        ...

    def __call__(self, noise: Noise, images: Tensor, radius: float) -> Tensor:
        """Return one displacement of length `radius`, in the method's own norm, per image."""
        ...


@runtime_checkable
class Measurement(Protocol):
    """A question about a purifier, answered image by image.

    Laws: the answer follows `purigeom.schema`; it is the same however the images are split into batches. One that uses
    a purifier's derivatives as its Jacobian says so by a class variable `differentiates = True`.
    """

    version: ClassVar[int]
    """Raised whenever the code changes an answer, so that old answers are not taken for new ones."""

    @property
    def label(self) -> str:
        """Return the short name under which results are stored."""
        ...

    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> "xr.Dataset":
        """Return one fact per image, draw, ...; averaging comes later."""
        ...


def differentiates(measurement: Measurement) -> bool:
    """Return whether a measurement says that it uses derivatives, so that these are checked; a stranger's uses none."""
    return getattr(measurement, "differentiates", False)
