"""Train the networks shipped for the digits: `python -m analyses.train_digits [FOLDER]`, minutes on 2 cores.

Without a folder the weights inside the package are replaced. Prints the figures that MODEL_CARD.md quotes.
"""

import json
import sys
from pathlib import Path

import torch

from purigeom.networks.classifier import ConvNet
from purigeom.networks.files import SHIPPED
from purigeom.networks.self_supervised import SelfSupervised
from purigeom.networks.unet import UNet
from purigeom.training.digits import train_classifier, train_denoiser
from purigeom.training.soap import train_digits

NETWORKS = {
    "digits-classifier": (train_classifier, ConvNet),
    "digits-ddpm": (train_denoiser, UNet),
    "digits-soap": (train_digits, SelfSupervised),
}
"""How each is trained, and what it is loaded by."""


def main(folder: Path) -> None:
    """Train every network and say what came out."""
    torch.set_num_threads(2)
    for name, (train, network) in NETWORKS.items():
        found = train(folder / name)
        digest = network(str(folder / name)).content()
        sys.stdout.write(json.dumps({"network": name, **found, "content_sha256": digest}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED)
