"""Train the CIFAR-10 networks of the repository: `python -m analyses.train_cifar NAME ... [--folder weights]`.

Names: denoiser, classifier, robust, autoencoder (which needs the classifier), and denoiser-large, for a GPU. What was
stopped goes on where it was, from `data_cache/training`. Prints a line of progress now and then, and at the end the
figures that `weights/MODEL_CARD.md` quotes. The images are those of `purigeom.images.Cifar`.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from analyses.training import parser_of, run_of, say
from purigeom.downloads import sha256
from purigeom.images import Cifar
from purigeom.networks.classifier import ConvNet
from purigeom.networks.files import weights_file
from purigeom.training import cifar
from purigeom.training.cifar import Data
from purigeom.training.descent import Run

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
    parser = parser_of("train_cifar", __doc__)
    parser.add_argument("names", nargs="+", choices=sorted(plans(Path())))
    parser.add_argument("--folder", type=Path, default=Path("weights"))
    parser.set_defaults(threads=2)
    parser.add_argument("--full-precision", action="store_true", help="floats instead of bfloat16 in the layers")
    found = parser.parse_args(words)
    data = Data(Cifar("cifar10", "train").load(), Cifar("cifar10", "test").load())
    for name in found.names:
        run = run_of(found, name, half_precision=not found.full_precision, every=SAY_EVERY)
        say(trained(name, found.folder, data, run))


if __name__ == "__main__":
    main(sys.argv[1:])
