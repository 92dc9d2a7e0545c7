"""Classifiers that are one layer after another."""

from collections import OrderedDict

from torch import nn


def convolutions(channels: int, classes: int, width: int, size: int) -> nn.Sequential:
    """Return three convolutions, the second of which halves the image, and a linear layer."""
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, padding=1, stride=2),
        nn.ReLU(),
        nn.Conv2d(2 * width, 2 * width, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(2 * width * (size // 2) ** 2, classes),
    )


def two_convolutions(classes: int = 10) -> nn.Sequential:
    """Return the network of 32x32 colour images that verifiers of robustness call CNN-A, or wide."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 8 * 8, 100),
        nn.ReLU(),
        nn.Linear(100, classes),
    )


def four_convolutions(classes: int = 10) -> nn.Sequential:
    """Return the network of 28x28 grey images in gokulkarthik/MagNet.pytorch (Meng and Chen 2017)."""
    return nn.Sequential(
        OrderedDict(
            conv_11=nn.Conv2d(1, 32, 3, padding=1),
            relu_11=nn.ReLU(),
            conv_12=nn.Conv2d(32, 32, 3, padding=1),
            relu_12=nn.ReLU(),
            pool_1=nn.MaxPool2d(2),
            conv_21=nn.Conv2d(32, 64, 3, padding=1),
            relu_21=nn.ReLU(),
            conv_22=nn.Conv2d(64, 64, 3, padding=1),
            relu_22=nn.ReLU(),
            pool_2=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            dense_1=nn.Linear(64 * 7 * 7, 200),
            relu_1=nn.ReLU(),
            dense_2=nn.Linear(200, 200),
            relu_2=nn.ReLU(),
            out=nn.Linear(200, classes),
        )
    )
