"""Train the networks shipped for the digits: `python -m analyses.train_digits [FOLDER]`, minutes on 2 cores.

Without a folder the weights inside the package are replaced. Prints the figures that MODEL_CARD.md quotes.
"""

import json
import sys
from pathlib import Path

import torch

from purigeom.networks.classifier import ConvNet
from purigeom.networks.files import SHIPPED
from purigeom.networks.unet import UNet
from purigeom.training.digits import train_classifier, train_denoiser


def main(folder: Path) -> None:
    """Train both networks and say what came out."""
    torch.set_num_threads(2)
    denoiser, classifier = folder / "digits-ddpm", folder / "digits-classifier"
    figures = {"digits-classifier": train_classifier(classifier), "digits-ddpm": train_denoiser(denoiser)}
    contents = {
        "digits-classifier": ConvNet(str(classifier)).content(),
        "digits-ddpm": UNet(str(denoiser)).content(),
    }
    for name, found in figures.items():
        sys.stdout.write(json.dumps({"network": name, **found, "content_sha256": contents[name]}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED)
