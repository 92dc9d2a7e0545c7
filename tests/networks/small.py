"""Small networks that return images for images, as they come from a trainer: a folder each."""

import torch

from purigeom.networks.autoencoder import Autoencoder, autoencoder
from purigeom.networks.disco import DISCO, disco
from purigeom.networks.dncnn import DnCNN, dncnn
from purigeom.networks.masked_autoencoder import MaskedAutoencoder, masked_autoencoder
from purigeom.training.saving import saved

SHAPE = {"channels": 1, "size": 8}
KINDS = {
    "autoencoder": (Autoencoder, autoencoder, {**SHAPE, "widths": [4, 6], "code": 3}),
    "disco": (DISCO, disco, {**SHAPE, "blocks": 2, "width": 6, "hidden": [8, 8]}),
    "dncnn": (DnCNN, dncnn, {**SHAPE, "depth": 4, "width": 6}),
    "masked autoencoder": (
        MaskedAutoencoder,
        masked_autoencoder,
        {**SHAPE, "patch": 2, "encoder": [8, 2, 2], "decoder": [8, 1, 2]},
    ),
}


def built(kind, **changes):
    """Return a network with random weights."""
    _, build, settings = KINDS[kind]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build(**{**settings, **changes})


def kept(folder, kind, *, half=False, **changes):
    """Save a network with random weights and return its name."""
    named, _, settings = KINDS[kind]
    saved(folder, built(kind, **changes), {**settings, **changes}, half=half)
    return named(str(folder))
