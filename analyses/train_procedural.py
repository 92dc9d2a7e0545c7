"""Train the denoiser shipped for procedural images: `python -m analyses.train_procedural [FOLDER]`, half an hour.

Without a folder the weights inside the package are replaced. Prints how it goes, then the figures that MODEL_CARD.md
quotes.
"""

import hashlib
import json
import sys
import time
from pathlib import Path

import torch

from purigeom.networks.files import SHIPPED
from purigeom.networks.unet import UNet
from purigeom.training.procedural import train_denoiser


def main(folder: Path) -> None:
    """Train the network and say what came out."""
    torch.set_num_threads(1)
    target, start = folder / "procedural-ddpm", time.monotonic()

    def say(found: dict[str, float]) -> None:
        sys.stdout.write(json.dumps({"seconds": round(time.monotonic() - start), **found}) + "\n")
        sys.stdout.flush()

    figures = train_denoiser(target, say=say)
    weights = target / "unet" / "diffusion_pytorch_model.safetensors"
    digests = {
        "content_sha256": UNet(str(target)).content(),
        "file_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }
    sys.stdout.write(json.dumps({"network": target.name, **figures, **digests}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED)
