"""Train the CIFAR-10 networks of the repository: `python -m analyses.train_cifar NAME ... [--folder weights]`.

Names: denoiser, classifier, robust, autoencoder (which needs the classifier), and denoiser-large, for a GPU. What was
stopped goes on where it was, from `data_cache/training`. Prints a line of progress now and then, and at the end the
figures that `weights/MODEL_CARD.md` quotes. The images are those of `purigeom.images.Cifar`.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import nn

from purigeom.downloads import sha256
from purigeom.images import Cifar
from purigeom.networks.classifier import ConvNet
from purigeom.networks.files import weights_file
from purigeom.training import cifar
from purigeom.training.cifar import Data
from purigeom.training.descent import Keep, Run
from purigeom.training.hardware import Hardware

SAY_EVERY = 50
"""Steps between two reports."""


@dataclass(frozen=True)
class Plan:
    """How a network is trained, its folder, and where its weights lie in it."""

    train: Callable[..., dict[str, float]]
    name: str
    part: str = "."


def plans(folder: Path) -> Mapping[str, Plan]:
    """Return what can be trained."""
    against = ConvNet(str(folder / "cifar10-classifier"))
    large = partial(cifar.train_denoiser, architecture=cifar.LARGE, recipe=cifar.LARGE_DENOISER)
    return {
        "classifier": Plan(cifar.train_classifier, "cifar10-classifier"),
        "robust": Plan(partial(cifar.train_classifier, recipe=cifar.ROBUST), "cifar10-robust-classifier"),
        "denoiser": Plan(cifar.train_denoiser, "cifar10-ddpm", "unet"),
        "denoiser-large": Plan(large, "cifar10-ddpm-large", "unet"),
        "autoencoder": Plan(partial(cifar.train_autoencoder, against=against), "cifar10-autoencoder"),
    }


def trained(what: str, folder: Path, data: Data, run: Run) -> dict[str, object]:
    """Train one network, or go on with it; return its figures and the digest of its weights."""
    plan = plans(folder)[what]
    found = plan.train(folder / plan.name, data, run=run)
    file = weights_file(folder / plan.name / plan.part)
    return {"network": plan.name, **found, "weights_sha256": sha256(file), "bytes": file.stat().st_size}


def main(words: Sequence[str]) -> None:
    """Train what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m analyses.train_cifar", description=__doc__)
    parser.add_argument("names", nargs="+", choices=sorted(plans(Path())))
    parser.add_argument("--folder", type=Path, default=Path("weights"))
    parser.add_argument("--states", type=Path, default=Path("data_cache/training"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--full-precision", action="store_true", help="floats instead of bfloat16 in the layers")
    parser.add_argument("--compile", action="store_true", help="let torch.compile write the layers anew")
    found = parser.parse_args(words)
    torch.set_num_threads(found.threads)
    hardware = Hardware(found.device, half_precision=not found.full_precision, compiled=found.compile)
    data = Data(Cifar("cifar10", "train").load(), Cifar("cifar10", "test").load())
    for name in found.names:
        run = Run(hardware, Keep(found.states / f"{name}.pt"), _watch)
        _say(trained(name, found.folder, data, run))


def _watch(step: int, pace: float, _: nn.Module) -> None:
    if step % SAY_EVERY == 0:
        _say({"step": step, "steps_per_second": round(pace, 3), "time": round(time.time())})


def _say(what: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
