"""Residual networks (He et al. 2016), their layers under the names that published weights have."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

Block: TypeAlias = Callable[[int, int, int], nn.Module]
"""What makes a block from the channels before it, those after it and its stride."""
Parts: TypeAlias = dict[str, nn.Module]
STAGES: Mapping[int, tuple[int, int, int, int]] = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
"""Blocks of each stage, by the depth of a network for ImageNet; from 50 layers on every block is a bottleneck."""


class Residual(nn.Module):
    """Add the input, by a shortcut, to what a path of named layers makes of it; negative values become zero."""

    def __init__(self, path: Mapping[str, nn.Module], shortcut: nn.Module, shortcut_name: str = "shortcut") -> None:
        super().__init__()
        for name, layer in {**path, shortcut_name: shortcut}.items():
            self.add_module(name, layer)
        self.path, self.shortcut_name = tuple(path), shortcut_name

    def forward(self, values: Tensor) -> Tensor:
        """Return the activations of the block."""
        changed = values
        for name in self.path:
            changed = self.get_submodule(name)(changed)
        return torch.relu(changed + self.get_submodule(self.shortcut_name)(values))


class Subsample(nn.Module):
    """Take every other pixel and add channels of zeros on both sides: shortcut A of the paper, without weights."""

    def __init__(self, added: int) -> None:
        super().__init__()
        self.added = added

    def forward(self, values: Tensor) -> Tensor:
        """Return the values at half the resolution."""
        return pad(values[:, :, ::2, ::2], (0, 0, 0, 0, self.added // 2, self.added - self.added // 2))


def convolution(before: int, after: int, size: int = 3, stride: int = 1, *, bias: bool = False) -> nn.Conv2d:
    """Return a convolution that keeps the image's size at stride one."""
    return nn.Conv2d(before, after, size, stride=stride, padding=size // 2, bias=bias)


def stack(block: Block, before: int, after: int, count: int, stride: int) -> nn.Sequential:
    """Return blocks behind each other, the first of which changes channels and size."""
    return nn.Sequential(block(before, after, stride), *(block(after, after, 1) for _ in range(count - 1)))


def named_sequence(parts: Mapping[str, nn.Module]) -> nn.Sequential:
    """Return layers behind each other under their names."""
    return nn.Sequential(OrderedDict(parts))


def cifar_resnet(depth: int, classes: int = 10) -> nn.Sequential:
    """Return the network of 6n + 2 layers for 32x32 images, in the layout of akamaster/pytorch_resnet_cifar10."""
    if depth < 8 or depth % 6 != 2:
        msg = f"cifar_resnet needs a depth of 6n + 2 layers, such as 20, 32 or 56; got {depth}."
        raise ValueError(msg)
    widths, count = (16, 16, 32, 64), (depth - 2) // 6
    parts: Parts = {"conv1": convolution(3, 16), "bn1": nn.BatchNorm2d(16), "relu": nn.ReLU()}
    for stage, (before, after) in enumerate(pairwise(widths), 1):
        parts[f"layer{stage}"] = stack(_subsampling, before, after, count, 1 if stage == 1 else 2)
    return named_sequence({**parts, **_averaged(), "linear": nn.Linear(64, classes)})


def resnet(depth: int, classes: int = 1000) -> nn.Sequential:
    """Return the network for images of ImageNet's size, in torchvision's layout; bottlenecks halve at their 3x3."""
    if depth not in STAGES:
        msg = f"resnet has depths {sorted(STAGES)}; got {depth}."
        raise ValueError(msg)
    block, expansion = (_bottleneck, 4) if depth >= 50 else (_projecting, 1)
    widths = (64, *(expansion * width for width in (64, 128, 256, 512)))
    parts: Parts = {"conv1": convolution(3, 64, 7, 2), "bn1": nn.BatchNorm2d(64), "relu": nn.ReLU()}
    parts["maxpool"] = nn.MaxPool2d(3, stride=2, padding=1)
    for stage, (before, after) in enumerate(pairwise(widths), 1):
        parts[f"layer{stage}"] = stack(block, before, after, STAGES[depth][stage - 1], 1 if stage == 1 else 2)
    return named_sequence({**parts, **_averaged(), "fc": nn.Linear(widths[-1], classes)})


def verified_resnet(stem: int, widths: Sequence[int], classes: int = 10) -> nn.Sequential:
    """Return the small network of alpha-beta-CROWN for 32x32 images: two blocks a stage, biases, no normalisation."""
    parts: Parts = {"conv1": convolution(3, stem, stride=2, bias=True), "relu": nn.ReLU()}
    for stage, (before, after) in enumerate(pairwise((stem, *widths)), 1):
        parts[f"layer{stage}"] = stack(_unnormalised, before, after, 2, 2)
    pixels = (16 // 2 ** len(widths)) ** 2
    head = {"linear1": nn.Linear(widths[-1] * pixels, 100), "relu1": nn.ReLU(), "linear2": nn.Linear(100, classes)}
    return named_sequence({**parts, "flatten": nn.Flatten(), **head})


def _averaged() -> Parts:
    return {"avgpool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}


def _two(before: int, after: int, stride: int) -> Parts:
    return {
        "conv1": convolution(before, after, stride=stride),
        "bn1": nn.BatchNorm2d(after),
        "relu": nn.ReLU(),
        "conv2": convolution(after, after),
        "bn2": nn.BatchNorm2d(after),
    }


def _subsampling(before: int, after: int, stride: int) -> Residual:
    return Residual(_two(before, after, stride), nn.Identity() if stride == 1 else Subsample(after - before))


def _projecting(before: int, after: int, stride: int) -> Residual:
    return Residual(_two(before, after, stride), _projection(before, after, stride), "downsample")


def _bottleneck(before: int, after: int, stride: int) -> Residual:
    inner = after // 4
    path = {
        "conv1": convolution(before, inner, 1),
        "bn1": nn.BatchNorm2d(inner),
        "relu1": nn.ReLU(),
        "conv2": convolution(inner, inner, stride=stride),
        "bn2": nn.BatchNorm2d(inner),
        "relu2": nn.ReLU(),
        "conv3": convolution(inner, after, 1),
        "bn3": nn.BatchNorm2d(after),
    }
    return Residual(path, _projection(before, after, stride), "downsample")


def _projection(before: int, after: int, stride: int) -> nn.Module:
    if before == after and stride == 1:
        return nn.Identity()
    return nn.Sequential(convolution(before, after, 1, stride), nn.BatchNorm2d(after))


def _unnormalised(before: int, after: int, stride: int) -> Residual:
    first, second = convolution(before, after, stride=stride, bias=True), convolution(after, after, bias=True)
    kept = before == after and stride == 1
    shortcut = nn.Identity() if kept else nn.Sequential(convolution(before, after, 1, stride, bias=True))
    return Residual({"conv1": first, "relu": nn.ReLU(), "conv2": second}, shortcut)
