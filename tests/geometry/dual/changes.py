"""Changes in place, and what duals refuse or answer as plain numbers."""

import math

import torch
from torch.nn import functional as F  # noqa: N812

from tests.geometry.dual.agreement import STATE
from tests.geometry.dual.numbers import COLUMN, MASK, PLACES, ROW


def changed(function):
    """Let a function change a copy of the input in place, and return the copy."""

    def change(x):
        copy = x.clone()
        function(copy)
        return copy

    return change


def written(x, index, item) -> None:
    x[index] = item


IN_PLACE = {
    "+=": changed(lambda x: x.__iadd__(ROW).__isub__(x.sin()).__imul__(2).__itruediv__(x.exp()).__ipow__(2)),
    "mul_": changed(lambda x: x.mul_(x.mean()).add_(1, alpha=2).div_(3).sub_(COLUMN).neg_()),
    "clamp_": changed(lambda x: x.clamp_(-1, 1).exp_().sqrt_().tanh_().sigmoid_().clamp_min_(0.4)),
    "relu_": changed(lambda x: F.relu(torch.relu_(x[0]), inplace=True).sub_(1).relu_().mul_(x[1])),
    "module": changed(
        torch.nn.Sequential(torch.nn.SiLU(inplace=True), torch.nn.ELU(inplace=True), torch.nn.ReLU6(True))
    ),
    "all written": changed(lambda x: written(x, ..., x.sin())),
    "constant written": changed(lambda x: written(x, (slice(None), 0), 3.0)),
    "row written": changed(lambda x: written(x, (slice(None), 0), x[0, 0, 0])),
    "mask written": changed(lambda x: written(x, STATE > 0, x.mean())),
    "plain written at a mask": changed(lambda x: written(x, (slice(None), MASK[0, :4]), COLUMN[:1])),
    "number written at the mask of a value": changed(lambda x: written(x, x > 0, 1.0)),
    "array written": changed(lambda x: written(x, (slice(None), PLACES), x[:, :3].sin())),
    "copy_": changed(lambda x: x[:, 0].copy_(x[:, 1] * 2) + x[1].copy_(ROW) + x[2].copy_(x[0, 0].sin().float())),
    "zero_ on a view": changed(lambda x: x.transpose(1, 2)[:, 2].zero_()),
    "fill_ on a view": changed(lambda x: x.flatten(2).unflatten(2, (6, 6))[:, 1].fill_(x.mean()) + x[0].fill_(2)),
    "mul_ on many views": changed(
        lambda x: [part.mul_(2) for part in (*x.chunk(2, 1), x.mT, x.diagonal(0, 2, 3), x.squeeze(), x.unfold(1, 2, 2))]
    ),
    "add_ on rearranged views": changed(
        lambda x: [part.add_(x.sin().sum()) for part in (x.movedim(0, 2), x.expand(4, 4, 6, 6), x[None].view(-1, 6))]
    ),
    "masked_fill_": changed(lambda x: x.masked_fill_(MASK, 0).index_add_(1, PLACES, x[:, :3].cos())),
    "detach_": changed(lambda x: x[:, 0].copy_((x[:, 0] * 1).detach_())),
    "contiguous is the same": changed(lambda x: x.contiguous().mul_(2)),
    "the same type is the same": changed(lambda x: x.double().mul_(2)),
}

WHOLE = {
    "new_zeros, then written": lambda x: changed(lambda new: written(new, (slice(None), 0), x[:, 1].sin()))(
        x.new_zeros(x.shape)
    ),
    "zeros_like, then added": lambda x: torch.zeros_like(x).add_(x.sin()),
    "two arrays written": changed(lambda x: written(x, (PLACES, PLACES), x[:3, 0].sin())),
    "an unknown view": lambda x: x.view_as(x).swapaxes(0, 1).as_strided((4, 4), (1, 6)).sin(),
    "data": lambda x: x * x.data,
    "squeeze_": lambda x: x[:, :1].clone().squeeze_(1),
    "t_": lambda x: x[0, 0].clone().t_() * x,
    "vmap": torch.func.vmap(torch.sin),
    "func.grad": torch.func.grad(lambda y: y.pow(3).sum()),
    "factory": lambda x: torch.tensor(x) * x,
}

PLAIN = {
    "comparisons": lambda x: ((x > 0) | (x <= STATE.mean()) & (x == x.sin()) & torch.isfinite(x)).double(),
    "whole numbers": lambda x: (
        x.long() + x.int() + x.to(torch.int64) + x.type(torch.int32) + x.argmax(1).sum()
    ).double(),
    "steps": lambda x: torch.sign(x) + x.round() + torch.floor(x) + x.ceil() + x.trunc() + x // 2,
    "new numbers": lambda x: torch.zeros_like(x) + x.new_ones(6) + torch.full_like(x, math.pi) + x.size(1),
    "single numbers": lambda x: STATE * float(x[0, 0, 0, 0]) * x.mean().item() * int(x.shape[0]) * bool(x.max() > 0),
}
