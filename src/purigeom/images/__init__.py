"""Named image sets, and the checks that images pass on their way in."""

from purigeom.images.checks import Split, batch_digest, checked
from purigeom.images.cifar.sets import Cifar
from purigeom.images.digits import Digits
from purigeom.images.files import ImageFile, InMemory
from purigeom.images.folder import ImageFolder
from purigeom.images.parts import ids_of, loaded, part, set_digest

__all__ = [
    "Cifar",
    "Digits",
    "ImageFile",
    "ImageFolder",
    "InMemory",
    "Split",
    "batch_digest",
    "checked",
    "ids_of",
    "loaded",
    "part",
    "set_digest",
]
