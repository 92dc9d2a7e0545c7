"""Wide residual networks (Zagoruyko and Komodakis 2016), in the layout of RobustBench's weights."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from purigeom.networks.residual import Parts, convolution, named_sequence, stack

SHORTCUT = "convShortcut"


class Preactivated(nn.Module):
    """Add to the input what two convolutions make of it, each behind a normalisation and a ReLU.

    Where the number of channels changes, the shortcut is a convolution of the activations, not of the input.
    """

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(before), convolution(before, after, stride=stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(after), convolution(after, after)
        if before != after:
            self.add_module(SHORTCUT, convolution(before, after, 1, stride))

    def forward(self, values: Tensor) -> Tensor:
        """Return the values of the block, of either sign."""
        active = torch.relu(self.bn1(values))
        changed: Tensor = self.conv2(torch.relu(self.bn2(self.conv1(active))))
        return changed + (getattr(self, SHORTCUT)(active) if hasattr(self, SHORTCUT) else values)


def wide_resnet(depth: int, width: int, classes: int = 10) -> nn.Sequential:
    """Return the network of 6n + 4 layers for 32x32 images, `width` times as wide as the thinnest."""
    if depth < 10 or depth % 6 != 4:
        msg = f"wide_resnet needs a depth of 6n + 4 layers, such as 16, 28 or 34; got {depth}."
        raise ValueError(msg)
    widths, count = (16, 16 * width, 32 * width, 64 * width), (depth - 4) // 6
    parts: Parts = {"conv1": convolution(3, 16)}
    for stage, (before, after) in enumerate(pairwise(widths), 1):
        layers = stack(Preactivated, before, after, count, 1 if stage == 1 else 2)
        parts[f"block{stage}"] = named_sequence({"layer": layers})
    parts |= {"bn1": nn.BatchNorm2d(widths[-1]), "relu": nn.ReLU()}
    parts |= {"avgpool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}
    return named_sequence({**parts, "fc": nn.Linear(widths[-1], classes)})
