"""A classifier behind a purifier."""

from dataclasses import dataclass

from torch import Tensor

from purigeom.noise import Noise
from purigeom.protocols import Classifier, ImageMap, RandomMap


@dataclass(frozen=True)
class Defended:
    """Purify, then classify: a random map from images to logits."""

    purifier: RandomMap
    classifier: Classifier

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        purify, classify = self.purifier.pin(noise, image_shape), self.classifier.load()

        def logits(images: Tensor) -> Tensor:
            return classify(purify(images))

        return logits
