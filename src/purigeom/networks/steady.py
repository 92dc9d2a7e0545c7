"""Networks that compute a fixed number of rows at a time, so that no row's answer depends on its company."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from purigeom.networks.around import Around, AroundPredictor
from purigeom.networks.classifier import ConvNet
from purigeom.networks.diffusion.predictor import NoisePredictor, Prediction, rounding
from purigeom.networks.file_classifier import FileClassifier
from purigeom.networks.files import frozen
from purigeom.networks.fixed_shape import by_rows
from purigeom.networks.folder_network import FolderNetwork
from purigeom.networks.masked_autoencoder import MaskedAutoencoder
from purigeom.networks.robustbench import RobustBench
from purigeom.networks.score import ScoreNetwork
from purigeom.networks.self_supervised import SelfSupervised
from purigeom.networks.trained import Restorer, Trained
from purigeom.networks.velocity import Velocity
from purigeom.protocols import Classifier, ImageMap
from purigeom.settings import check_counts

_ASKED_OTHERWISE = (MaskedAutoencoder, ScoreNetwork, SelfSupervised)
"""Networks that purifiers ask for more than the answer to one batch."""


@dataclass(frozen=True)
class Steady(AroundPredictor):
    """Another network's guess of the noise, always computed for the same number of rows.

    Kernels round otherwise in a batch of another size; here an image's numbers are the same, bit for bit, whoever
    shares its batch. Derivatives of every kind compute the network once more, and vectors that travel together are
    taken one by one.

    Parameters
    ----------
    network
        Whose guess; not itself steady.
    rows
        How many images it is given at a time; where there are fewer, the last is repeated.

    Examples
    --------
    >>> from purigeom.networks.unet import UNet
    >>> Steady(UNet("digits-ddpm"), rows=16).checkpoint
    'digits-ddpm'
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    rows: int

    def __post_init__(self) -> None:
        _check(self, self.network)

    @property
    def rounding(self) -> float:
        """Return the machine precision of its layers; zero where they have that of the states."""
        return rounding(self.network)

    def module(self, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """Return the network on a device."""
        return _in_rows(self.network.module(device, dtype), self.rows)


@dataclass(frozen=True)
class SteadyTrained(Around):
    """A network of a purifier that guesses no noise, always computed for the same number of rows."""

    version: ClassVar[int] = 1
    network: Trained
    rows: int

    def __post_init__(self) -> None:
        _check(self, self.network)

    @property
    def family(self) -> str:
        """Return the kind of network, by which studies group."""
        assert isinstance(self.network, Restorer)
        return self.network.family

    def module(self, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """Return the network on a device."""
        return _in_rows(self.network.module(device, dtype), self.rows)


@dataclass(frozen=True)
class SteadyClassifier:
    """A classifier that always computes the same number of rows."""

    version: ClassVar[int] = 1
    classifier: Classifier
    rows: int

    def __post_init__(self) -> None:
        _check(self, self.classifier)

    @property
    def checkpoint(self) -> str:
        """Return the name of the classifier's weights, or all that is known of it."""
        name: str = getattr(self.classifier, "checkpoint", repr(self.classifier))
        return name

    def load(self) -> ImageMap:
        """Return the map from images in [0, 1] to logits."""
        classify = self.classifier.load()
        return lambda images: by_rows(classify, self.rows, images)


def steady(thing: Any, rows: int) -> Any:
    """Return a network of a purifier that computes so many rows at a time; None for what is no network, or is steady.

    Raises
    ------
    TypeError
        For a network that purifiers ask in ways of its own.
    """
    if isinstance(thing, Steady | SteadyTrained | SteadyClassifier):
        return thing
    if isinstance(thing, _ASKED_OTHERWISE):
        msg = (
            f"{thing!r} is asked for more than the answer to one batch, and computes as many rows as there are. Leave "
            "the fixed number of rows out for purifiers with it."
        )
        raise TypeError(msg)
    if isinstance(thing, NoisePredictor):
        return Steady(thing, rows)
    if isinstance(thing, FolderNetwork | Restorer | Velocity):
        return SteadyTrained(thing, rows)
    return SteadyClassifier(thing, rows) if isinstance(thing, ConvNet | FileClassifier | RobustBench) else None


class _Rows(nn.Module):
    """Ask a network for so many rows at a time; one that is told a time answers noise, or a velocity, as `sample`."""

    def __init__(self, network: nn.Module, rows: int) -> None:
        super().__init__()
        self.network, self.rows = network, rows

    def forward(self, batch: Tensor, *time: float | Tensor) -> Tensor | Prediction:
        """Return the network's answer for a batch."""
        if not time:
            return by_rows(self.network, self.rows, batch)
        return Prediction(by_rows(lambda part: self.network(part, *time).sample, self.rows, batch))


@lru_cache
def _in_rows(network: nn.Module, rows: int) -> nn.Module:
    return frozen(_Rows(network, rows))


def _check(who: Any, inside: object) -> None:
    """Raise unless the number of rows is one, and what is inside is not steady itself."""
    check_counts(who, "rows")
    if isinstance(inside, Steady | SteadyTrained | SteadyClassifier):
        msg = f"{type(who).__name__} needs what is not steady itself; got {inside!r}. Take what is in it."
        raise TypeError(msg)
