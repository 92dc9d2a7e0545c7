"""Train classifiers of small colour images, ordinarily or against an adversary: seeded, on any device."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import update_bn

from purigeom.defence.checks import labels_of
from purigeom.networks.whitened import whiten, whitened
from purigeom.noise import Noise
from purigeom.protocols import Batch, Classifier
from purigeom.training.descent import QUIETLY, Run, Training, train
from purigeom.training.hardware import Hardware

SHIFT = 2
"""Images are shifted by up to this many pixels, mirrored at the border."""
BIAS_FACTOR = 64
"""How much faster the normalisations' biases learn than everything else."""
WHITENED_IMAGES = 5000
"""From the patches of so many images the first layer is set."""
MEASURED_IMAGES = 8192
"""By so many images the normalisations of the average are measured."""


@dataclass(frozen=True)
class ClassifierRecipe:
    """How to train with Nesterov's momentum under a triangular rate, against an adversary where `radius` is not 0."""

    epochs: float
    peak_rate: float = 1.5
    batch: int = 1024
    weight_decay: float = 0.002
    momentum: float = 0.85
    smoothing: float = 0.2
    average_decay: float = 0.98
    radius: float = 0.0
    attack_steps: int = 5
    seed: int = 0
    widths: tuple[int, ...] = (64, 256, 256)
    """Of the network's stages."""

    def steps(self, images: int) -> int:
        """Return the number of steps."""
        return round(self.epochs * images / self.batch)


def classifier(images: Batch, recipe: ClassifierRecipe, run: Run = QUIETLY) -> nn.Module:
    """Train the whitened network on labelled images in [0, 1] and return its average over the last steps.

    The averaged network's normalisations are measured anew, since those that were followed belong to other weights.
    """
    network = run.hardware.settle(_network(images, recipe))
    called = run.hardware.called(network)

    def loss(step: int) -> Tensor:
        chosen, epoch = _chosen(step, recipe, len(images))
        noise = Noise(recipe.seed, tuple(chosen.tolist()), ("train", step))
        shown = run.hardware.place(_augmented(images.images[chosen], chosen, epoch, noise))
        labels = run.hardware.place(labels_of(images)[chosen])
        with run.hardware.precision():
            attacked = _worst(called, shown, labels, recipe, noise)
            return cross_entropy(called(attacked), labels, label_smoothing=recipe.smoothing)

    steps = recipe.steps(len(images))
    trained = train(_training(network, recipe, steps), loss, steps, run)
    measure_normalisations(trained, images.images[:MEASURED_IMAGES], run.hardware)
    return trained


def measure_normalisations(network: nn.Module, images: Tensor, hardware: Hardware, at_once: int = 1024) -> None:
    """Set the averages of a network's batch normalisations to those of some images."""
    network.train()
    update_bn((hardware.place(block) for block in images.split(at_once)), network)
    network.eval()


@torch.no_grad()
def accuracy(who: Classifier, test: Batch, at_once: int = 500) -> float:
    """Return the share of images that a classifier gets right."""
    logits, blocks = who.load(), [test[start : start + at_once] for start in range(0, len(test), at_once)]
    right = [logits(block.images).argmax(1) == labels_of(block) for block in blocks]
    return torch.cat(right).float().mean().item()


def normalisation(images: Batch) -> tuple[list[float], list[float]]:
    """Return the mean and the deviation of every channel, to four places."""
    moments = (images.images.mean((0, 2, 3)), images.images.std((0, 2, 3)))
    mean, deviation = ([round(one, 4) for one in values.tolist()] for values in moments)
    return mean, deviation


def _network(images: Batch, recipe: ClassifierRecipe) -> nn.Sequential:
    torch.manual_seed(recipe.seed)  # initial weights; only training uses torch's own generator
    network = whitened(*normalisation(images), recipe.widths)
    whiten(network, images.images[:WHITENED_IMAGES])
    return network


def _training(network: nn.Module, recipe: ClassifierRecipe, count: int) -> Training:
    biases = [layer.bias for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    others = [parameter for parameter in trained if all(parameter is not bias for bias in biases)]
    groups = [
        {"params": others, "lr": recipe.peak_rate, "weight_decay": recipe.weight_decay / recipe.peak_rate},
        {
            "params": biases,
            "lr": recipe.peak_rate * BIAS_FACTOR,
            "weight_decay": recipe.weight_decay / recipe.peak_rate / BIAS_FACTOR,
        },
    ]
    optimiser = torch.optim.SGD(groups, momentum=recipe.momentum, nesterov=True)
    return Training(network, optimiser, LambdaLR(optimiser, triangle(count)), recipe.average_decay, None, repr(recipe))


def triangle(count: int, start: float = 0.2, peak: float = 0.23, end: float = 0.05) -> Callable[[int], float]:
    """Return the share of the peak rate by step: up to one at the share `peak` of all steps, then down to `end`."""

    def share(step: int) -> float:
        done = step / count
        if done < peak:
            return start + (1 - start) * done / peak
        return 1 + (end - 1) * (done - peak) / (1 - peak)

    return share


def _chosen(step: int, recipe: ClassifierRecipe, images: int) -> tuple[Tensor, int]:
    """Return the images of a step, in an order of the epoch's own, and the epoch.

    No image comes twice in an epoch; those that fill no whole batch at its end are left out of it.
    """
    epoch, place = divmod(step, max(1, images // recipe.batch))
    order = torch.randperm(images, generator=torch.Generator().manual_seed(recipe.seed * 1_000_003 + epoch))
    return order[place * recipe.batch : (place + 1) * recipe.batch], epoch


def _augmented(images: Tensor, ids: Tensor, epoch: int, noise: Noise) -> Tensor:
    """Return images shifted at random, and mirrored in every other epoch."""
    mirrored = ((ids * 2654435761 >> 7) + epoch) % 2 == 0
    images = torch.where(mirrored.view(-1, 1, 1, 1), images.flip(-1), images)
    size, padded = images.shape[-1], pad(images, (SHIFT,) * 4, mode="reflect")
    words = noise.child("shift").words_like(torch.zeros(len(images), 2)) % (2 * SHIFT + 1)
    rows, columns = (words[:, axis, None] + torch.arange(size) for axis in (0, 1))
    places = torch.arange(len(images)).view(-1, 1, 1, 1)
    channels = torch.arange(images.shape[1]).view(1, -1, 1, 1)
    return padded[places, channels, rows[:, None, :, None], columns[:, None, None, :]]


def _worst(network: nn.Module, images: Tensor, labels: Tensor, recipe: ClassifierRecipe, noise: Noise) -> Tensor:
    """Return images moved against the network within the radius: from a random start, by signs of gradients.

    One step is too few for the whitened network, which learns to survive that step alone.
    """
    if not recipe.radius:
        return images
    moved, stride = noise.child("start").uniform_like(images), 2.5 / recipe.attack_steps
    for _ in range(recipe.attack_steps):
        asked = (images + recipe.radius * moved).clamp(0, 1).detach().requires_grad_()
        (gradient,) = torch.autograd.grad(cross_entropy(network(asked), labels), asked)
        moved = (moved + stride * gradient.sign()).clamp(-1, 1)
    return (images + recipe.radius * moved).clamp(0, 1).detach()
