"""What a named network sees in images, clean and purified: what a Fréchet distance is taken of."""

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import torch
import xarray as xr
from torch import Tensor

from purigeom.measurements.configuration import check_settings, labelled, purified
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier, ImageMap, RandomMap
from purigeom.schema import CLEAN_FEATURE, PURIFIED_FEATURE


@runtime_checkable
class Extractor(Protocol):
    """The name of a map from images to features, said truly: distances over other features are other distances."""

    @property
    def label(self) -> str:
        """Return the name under which features are stored: of which layer of which network they are."""
        ...

    def load(self) -> ImageMap:
        """Return the map from images in [0, 1] to features, one row per image."""
        ...


@dataclass(frozen=True)
class Logits:
    """Take a classifier's logits for features.

    Parameters
    ----------
    classifier
        The network.
    name
        What it is called in results.
    """

    version: ClassVar[int] = 1
    classifier: Classifier
    name: str

    @property
    def label(self) -> str:
        return f"logits of {self.name}"

    def load(self) -> ImageMap:
        return self.classifier.load()


@dataclass(frozen=True)
class Features:
    """Keep the features of each clean image and of what the purifier makes of it.

    Parameters
    ----------
    extractor
        What finds the features.
    draws
        Number of random configurations.
    """

    version: ClassVar[int] = 1
    label: ClassVar[str] = "features"
    extractor: Extractor
    draws: int = 1

    def __post_init__(self) -> None:
        check_settings(self, draws=self.draws)

    @torch.no_grad()
    def __call__(self, purifier: RandomMap, batch: Batch, noise: Noise) -> xr.Dataset:
        clean = self._features(batch.images)
        found = torch.stack([self._features(images) for images in purified(purifier, batch, noise, self.draws)])
        coordinates = {"extractor": [self.extractor.label], "feature": range(clean.shape[1])}
        pairs = [(CLEAN_FEATURE, clean[None]), (PURIFIED_FEATURE, found[None])]
        return labelled(pairs, batch, self.draws, **coordinates)

    def _features(self, images: Tensor) -> Tensor:
        features = self.extractor.load()(images)
        if features.shape[:1] != images.shape[:1] or features.dim() != 2 or not features.isfinite().all():
            msg = (
                f"{self.extractor!r} must return one row of finite features per image, of {len(images)} images; got "
                f"shape {tuple(features.shape)}, {int((~features.isfinite()).sum())} of them NaN or infinite."
            )
            raise ValueError(msg)
        return features
