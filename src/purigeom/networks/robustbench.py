"""Classifiers of the RobustBench model zoo by their id, where that package is installed."""

import copy
import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import Literal, get_args

from torch import nn

from purigeom.networks.files import frozen, models_folder, outside_transforms
from purigeom.networks.modules import logits
from purigeom.networks.tensors import tensors_digest
from purigeom.protocols import ImageMap

Threat = Literal["Linf", "L2", "corruptions"]
_TENSORS_ONLY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
"""The variable of the environment under which `torch.load` runs no pickled code, whatever its caller says."""


@dataclass(frozen=True)
class RobustBench:
    """A classifier that the package `robustbench` downloads and builds; without it, use `FileClassifier`.

    What the package downloads it does not check; pickled code in it is not run.

    Parameters
    ----------
    id
        The zoo's name, such as "Standard".
    threat
        The threat model under which the zoo lists it.
    dataset
        "cifar10", "cifar100" or "imagenet".
    """

    id: str
    threat: Threat = "Linf"
    dataset: str = "cifar10"

    def __post_init__(self) -> None:
        if self.threat not in get_args(Threat):
            msg = f"RobustBench.threat must be one of {get_args(Threat)}; got {self.threat!r}."
            raise ValueError(msg)

    def content(self) -> str:
        """Return the digest of the weights that the package gives, and its version, of which the architecture is."""
        return _content(self)

    def load(self) -> ImageMap:
        """Return the map from images in [0, 1] to logits, on the images' device and in their type."""
        return logits(_copy, self)


def _copy(who: RobustBench) -> nn.Module:
    return copy.deepcopy(_loaded(who))


@lru_cache
def _content(who: RobustBench) -> str:
    return f"{tensors_digest(_loaded(who).state_dict())} robustbench {version('robustbench')}"


@lru_cache
def _loaded(who: RobustBench) -> nn.Module:
    return outside_transforms(lambda: _built(who))


def _built(who: RobustBench) -> nn.Module:
    try:
        version("robustbench")
        load_model = importlib.import_module("robustbench.utils").load_model
    except (ImportError, RuntimeError) as error:
        msg = (
            f"{who!r} needs the package robustbench, which cannot be imported ({error}). Install it, with torchvision "
            "and timm, from github.com/RobustBench/robustbench; or download the weights and say "
            f"FileClassifier('{who.id}.pt', ARCHITECTURE), of which 'wide-resnet-28-10' is Standard's."
        )
        raise ImportError(msg) from error
    folder = str(models_folder() / "robustbench")
    with _tensors_only():
        module: nn.Module = load_model(who.id, model_dir=folder, dataset=who.dataset, threat_model=who.threat)
    return frozen(module)


@contextmanager
def _tensors_only() -> Iterator[None]:
    """Let nothing that is loaded meanwhile run pickled code."""
    before = os.environ.get(_TENSORS_ONLY)
    os.environ[_TENSORS_ONLY] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_TENSORS_ONLY]
        else:
            os.environ[_TENSORS_ONLY] = before
