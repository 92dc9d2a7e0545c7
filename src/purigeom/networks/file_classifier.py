"""A published classifier by its file of weights and the name of its architecture."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from purigeom.networks.architectures import NORMALISATIONS, PUBLISHED, UNCHANGED, Normalisation, recognised
from purigeom.networks.files import digest, expanded
from purigeom.networks.modules import logits
from purigeom.networks.tensors import fit, read
from purigeom.networks.whitened import Normalise
from purigeom.protocols import ImageMap


@dataclass(frozen=True, repr=False)
class FileClassifier:
    """A classifier in a file of tensors; where the file lies is no part of what it is.

    Parameters
    ----------
    file
        Path of a `.safetensors` or of a `.pt`, `.pth`, `.th` without code in it.
    architecture
        A name in `purigeom.networks.architectures.PUBLISHED`.
    mean, deviation
        How images in [0, 1] are normalised, a number per channel; the architecture's own unless given.
    classes
        How many there are; the architecture's usual number unless given.

    Examples
    --------
    >>> FileClassifier("anywhere/Standard.pt", "wide-resnet-28-10")
    FileClassifier('Standard.pt', 'wide-resnet-28-10', mean=(0.0,), deviation=(1.0,))
    """

    file: str
    architecture: str
    mean: tuple[float, ...] | None = None
    deviation: tuple[float, ...] | None = None
    classes: int | None = None

    def __post_init__(self) -> None:
        if self.architecture not in PUBLISHED:
            msg = f"FileClassifier.architecture must be one of {sorted(PUBLISHED)}; got {self.architecture!r}."
            raise ValueError(msg)
        mean, deviation = self.normalisation()
        if len(mean) != len(deviation) or not all(one > 0 for one in deviation):
            msg = (
                "FileClassifier needs a mean and a positive deviation for every channel, or one of each for all; got "
                f"mean={mean} and deviation={deviation}."
            )
            raise ValueError(msg)

    def __repr__(self) -> str:
        mean, deviation = self.normalisation()
        classes = "" if self.classes is None else f", classes={self.classes}"
        what = f"{Path(self.file).name!r}, {self.architecture!r}, mean={mean}, deviation={deviation}"
        return f"FileClassifier({what}{classes})"

    def normalisation(self) -> Normalisation:
        """Return mean and deviation as given, or those that all published weights of the architecture expect."""
        if self.mean is not None and self.deviation is not None:
            return self.mean, self.deviation
        if self.mean is not None or self.deviation is not None or self.architecture not in NORMALISATIONS:
            msg = (
                f"FileClassifier({Path(self.file).name!r}, {self.architecture!r}) needs both mean and deviation: say "
                f"how its images were normalised; got mean={self.mean} and deviation={self.deviation}."
            )
            raise ValueError(msg)
        return NORMALISATIONS[self.architecture]

    def content(self) -> str:
        """Return the digest of the file and of what is made of it."""
        made = (digest([_existing(self.file)]), self.architecture, self.normalisation(), self.classes)
        return hashlib.sha256(repr(made).encode()).hexdigest()

    def load(self) -> ImageMap:
        """Return the map from images in [0, 1] to logits, on the images' device and in their type."""
        return logits(_load, self)


def described(file: str, architecture: str | None = None) -> FileClassifier:
    """Return the classifier of a file, by what is said, what a `.json` beside it says, or what its tensors show.

    The json may hold `architecture`, `mean`, `std` and `classes`. Without an architecture, the tensors' names and
    shapes tell it, where they are those of one published network.
    """
    path = _existing(file)
    card = _card(path.with_suffix(".json"))
    known = architecture or card.get("architecture") or recognised(read(path), file)
    mean, deviation = (tuple(card[name]) if name in card else None for name in ("mean", "std"))
    return FileClassifier(file, known, mean, deviation, card.get("classes"))


def _existing(file: str) -> Path:
    path = expanded(file)
    if not path.is_file():
        msg = f"There is no file {path}."
        raise FileNotFoundError(msg)
    return path


def _card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text()) if path.is_file() else {}
    except ValueError as error:
        msg = f"{path} must be JSON that describes the weights beside it; it is damaged: {error}."
        raise ValueError(msg) from error
    if not isinstance(card, dict):
        msg = f"{path} must be a JSON object that describes the weights beside it; it holds a {type(card).__name__}."
        raise TypeError(msg)
    return card


def _load(who: FileClassifier) -> nn.Module:
    settings = {} if who.classes is None else {"classes": who.classes}
    module = fit(PUBLISHED[who.architecture](**settings), read(_existing(who.file)), repr(who))
    parts = [] if who.normalisation() == UNCHANGED else [Normalise(*who.normalisation())]
    return nn.Sequential(*parts, module)
