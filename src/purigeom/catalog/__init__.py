"""What purigeom knows by name: purifiers, attacks, classifiers, image sets, displacements."""

from collections.abc import Mapping

from purigeom.catalog.attacks import ATTACKS
from purigeom.catalog.purifiers import (
    BASELINES,
    CIFAR10_PURIFIERS,
    CIFAR10_UNET,
    CLASSICAL,
    DIGITS_COUPLED,
    DIGITS_DIFFUSION,
    DIGITS_FIELDS,
    DIGITS_GUIDED,
    DIGITS_TRAINED,
    DIGITS_UNET,
    PROCEDURAL_UNET,
    PURIFIERS,
)
from purigeom.geometry.displacement import Corners, Sphere, UniformBall
from purigeom.images import Cifar, Digits, ImageFolder
from purigeom.networks.classifier import ConvNet
from purigeom.networks.self_supervised import SelfSupervised
from purigeom.procedural import Procedural
from purigeom.protocols import Classifier, Displacement, ImageSet

__all__ = [
    "ATTACKS",
    "BASELINES",
    "CIFAR10_PURIFIERS",
    "CIFAR10_UNET",
    "CLASSICAL",
    "CLASSIFIERS",
    "DIGITS_COUPLED",
    "DIGITS_DIFFUSION",
    "DIGITS_FIELDS",
    "DIGITS_GUIDED",
    "DIGITS_TRAINED",
    "DIGITS_UNET",
    "DISPLACEMENTS",
    "IMAGES",
    "PROCEDURAL_UNET",
    "PURIFIERS",
]

CLASSIFIERS: Mapping[str, Classifier] = {
    "digits": ConvNet("digits-classifier"),
    "digits-soap": SelfSupervised("digits-soap"),
    "cifar10": ConvNet("cifar10-classifier"),
    "cifar10-robust": ConvNet("cifar10-robust-classifier"),
}
IMAGES: Mapping[str, ImageSet] = {
    "digits": Digits("test"),
    "digits-train": Digits("train"),
    "procedural": Procedural(),
    "cifar10": Cifar("cifar10"),
    "cifar10-train": Cifar("cifar10", "train"),
    "cifar100": Cifar("cifar100"),
    "cifar100-train": Cifar("cifar100", "train"),
    "cifar10.1": Cifar("cifar10.1"),
    "imagenet": ImageFolder("$PURIGEOM_DATA/imagenet"),
    "imagenet-samples": ImageFolder("$PURIGEOM_DATA/imagenet_samples_224.zip", resize=224, labels="name"),
}
DISPLACEMENTS: Mapping[str, Displacement] = {
    "uniform": UniformBall(),
    "corners": Corners(),
    "sphere": Sphere(),
}
