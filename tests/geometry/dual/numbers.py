"""Functions of numbers and shapes, each by the way in which duals are expected to pass it."""

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812

from tests.geometry.dual.agreement import STATE, fixed

ROW, COLUMN, HIGHER = fixed(6), fixed(4, 1, 1), fixed(2, 4, 4, 6, 6)
MASK = fixed(6, 6) > 0
PLACES = torch.tensor([2, 0, 1])


ELEMENTWISE = {
    "silu": F.silu,
    "relu": lambda x: F.relu(x) + torch.relu(x - 1) + x.relu() + (x * 0).relu(),
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2) + F.leaky_relu(x),
    "gelu": F.gelu,
    "tanh": lambda x: torch.tanh(x) + F.tanh(x) + x.tanh(),
    "sigmoid": lambda x: torch.sigmoid(x) + F.sigmoid(x) + x.sigmoid(),
    "exp and log": lambda x: torch.log(x.exp() + 1) + (x.square() + 1).log() + torch.exp(x),
    "roots": lambda x: torch.sqrt(x.square() + 1) + torch.rsqrt(x.exp()) + (x * x + 2).sqrt().rsqrt(),
    "reciprocal": lambda x: torch.reciprocal(x) + x.reciprocal(),
    "sin and cos": lambda x: torch.sin(x) * x.cos() + x.sin() * torch.cos(x),
    "square and abs": lambda x: torch.square(x) - torch.abs(x) + x.abs() + abs(x * 0),
    "clamp": lambda x: (
        torch.clamp(x, -0.5, 1) + x.clamp(min=0) + x.clip(max=ROW) + torch.clip(x, STATE - 1, STATE + ROW)
    ),
    "pow": lambda x: x**2 + x**3.0 + x**-1 + torch.pow(x, 2) + x.pow(-2) + x.abs() ** 0.5,
    "negative": lambda x: (-x) + x.neg() * torch.negative(x),
}

ARITHMETIC = {
    "add": lambda x: x + 2 + (3 + x) + torch.add(x, x.sin()) + x.add(ROW) + (COLUMN + x),
    "add, alpha": lambda x: torch.add(x, ROW, alpha=3) + torch.add(ROW, x, alpha=-2) + x.add(x.sin(), alpha=0.5),
    "add a higher rank": lambda x: (x + HIGHER) - (HIGHER - x).sin(),
    "add to a number": lambda x: (x.sum() + ROW) * (x.mean(1) + x) + (x + x[0, 0]) + (x[0] + x),
    "sub": lambda x: (x - 2) * (3 - x) + torch.sub(x, ROW, alpha=2) - x.sub(x.sin()) - (ROW - x),
    "rsub": lambda x: torch.rsub(x, 2) + torch.rsub(x, x.sin()) + torch.subtract(x, 1),
    "mul": lambda x: x * 2 + 3 * x + torch.mul(x, torch.multiply(x, 2).sin()) + x.mul(ROW) * COLUMN + ROW * x,
    "mul by a higher rank": lambda x: x * HIGHER + HIGHER * x + x[0] * x + x[0, 0, 0] * x + x.sum() * x,
    "div": lambda x: x / 2 + 3 / x + torch.div(x, torch.divide(x, 2).exp()) + x.div(ROW) + ROW / x + x.true_divide(2),
    "div by another rank": lambda x: x / x[0, 0] + x.sum() / x + x / HIGHER + HIGHER / x + x[0] / x,
    "numbers of the input": lambda x: x * x.mean().double() + torch.tensor(2.0) * x + x * torch.tensor(3),
    "matmul": lambda x: (
        x @ fixed(6, 5) + (fixed(3, 4, 6, 6)[:, None] @ x)[0, :, :, :, :5] + torch.matmul(x, x)[..., 1:]
    ),
    "matmul of other ranks": lambda x: x[0] @ x + x @ x[0, 0] + x.matmul(HIGHER) + fixed(6, 6) @ x,
    "mm and bmm": lambda x: (
        torch.bmm(x[0], fixed(4, 6, 6)) + x[0].bmm(x[1]) + x[0, 0].mm(fixed(6, 6)) + torch.mm(ROW[:, None], x[0, 0, :1])
    ),
    "einsum": lambda x: (
        torch.einsum("bchw,wk->bchk", x, fixed(6, 2)) + torch.einsum("bchw,bcwk->bchk", x, x.sin())[..., :2]
    ),
    "baddbmm": lambda x: torch.baddbmm(x[0], x[1], fixed(4, 6, 6)) + torch.addmm(x[0, 0], x[0, 1], x[0, 2], beta=2),
    "baddbmm of nothing": lambda x: (
        torch.baddbmm(HIGHER[0, 0] / 0, x[1], x[2], beta=0, alpha=0.5) + ROW.addmm(x[0, 0], x[0, 1])
    ),
    "complex numbers": lambda x: ((x + 1j) / (x * 1j + 2)).real + (x * 1j - fixed(6)).imag,
    "outer": lambda x: torch.outer(x[0, 0, 0], ROW) + torch.outer(x[0, 0, 0], x[1, 0, 0]),
}

SHAPES = {
    "reshape": lambda x: x.reshape(4, -1).reshape((4, 4, 36)) * torch.reshape(x, (4, 4, -1)),
    "view": lambda x: x.view(4, -1, 6).view(torch.Size([4, 4, 36])).view_as(x).reshape_as(x) * x,
    "flatten": lambda x: x.flatten() * torch.flatten(x, 1).flatten(0) * x.flatten(-2).ravel(),
    "unflatten": lambda x: x.unflatten(-1, (2, 3)) + torch.unflatten(x, 3, (2, -1)),
    "permute": lambda x: x.permute(0, 2, 3, 1) * torch.permute(x, (0, -1, 2, -3)),
    "transpose": lambda x: x.transpose(-1, 2) * torch.transpose(x, 2, 3) * x.mT * x[0, 0].T * x[1, 1].t(),
    "swapaxes": lambda x: x.swapaxes(0, 1) * torch.swapdims(x, 2, -1),
    "movedim": lambda x: x.movedim(1, -1).sum() * torch.moveaxis(x, (0, 1), (1, 3)),
    "squeeze": lambda x: (
        x[:, :1].squeeze(1) + x[:1, :1].squeeze() + x.mean((1, 2), True).squeeze(-2).squeeze().unsqueeze(1)
    ),
    "unsqueeze": lambda x: x.unsqueeze(0) + torch.unsqueeze(x, -2).sum(3) + torch.squeeze(x.unsqueeze(1), 1),
    "expand": lambda x: x[:, :1].expand(-1, 4, -1, -1) * x[0].expand(4, 4, 6, 6) * x[0].expand_as(x).sin(),
    "broadcast_to": lambda x: torch.broadcast_to(x[0], (2, 4, 4, 6, 6)) * x,
    "repeat and tile": lambda x: x.repeat(1, 2, 1, 1) + x.tile(2, 1, 1) + torch.tile(x[0], (4, 2, 1, 1)),
    "roll and flip": lambda x: (
        x.roll(1) + torch.roll(x, (1, -2), (0, 3)) + x.flip(0, -1) + torch.flip(x, (1,)) + x.fliplr()
    ),
    "diff, cumsum, tril": lambda x: (
        x.diff(dim=1).cumsum(0).tril() + torch.cumsum(x, -1)[:, 1:].triu(1) + x.flipud()[:, 1:]
    ),
    "diagonal": lambda x: x.diagonal(0, 2, 3) + torch.diagonal(x, 1, -1, 1).sum(-1),
    "slices": lambda x: (
        x[:, 1:3] * x[:, ::2, :, 1:2] + x[:, -2:, ::2].repeat(1, 1, 2, 1) + x[None, :2, :, None, 0].sum()
    ),
    "ints": lambda x: x[0] * x[:, -1] + x[2, 1] + x[..., 0, :].unsqueeze(2) + x[np.int64(1)],
    "one array": lambda x: x[:, PLACES] * x[:, [0, 1, 3]] + x[..., PLACES, :3].mean() + x[torch.tensor(1), :3],
    "one mask": lambda x: x[..., MASK] * x[:, :, MASK] + x[STATE > 3].sum() + x[:, SIGNS][:, :1, 0, :1],
    "select": lambda x: x.select(1, 2) * torch.select(x, -1, 0)[..., None] * x.narrow(2, 1, 6 - 5)[:, 0],
    "chunk": lambda x: x.chunk(2, 1)[1] * torch.chunk(x, 2, -3)[0] * x.split(2, 1)[0] * torch.split(x, [2, 2], 1)[1],
    "unbind": lambda x: sum(row * place for place, row in enumerate(x)) * x.unbind(-4)[1] + torch.unbind(x, 0)[0],
    "cat": lambda x: (
        torch.cat([x, fixed(4, 2, 6, 6), x.sin()], 1)
        + torch.concat([x, x[:, :2], torch.concatenate([x[:, 2:], x[:, :2]], 1)], -3)
    ),
    "stack": lambda x: torch.stack([x, STATE * 2], -1) + torch.stack((STATE, x), 4),
    "pad": lambda x: (
        F.pad(x, (1, 2, -1, 0)) + F.pad(x, (1, 2, 0, -1), value=3.0) * F.pad(x[:, :, 1:], (0, 3, 0, 0), "reflect")
    ),
    "pad, replicate": lambda x: F.pad(x, (1, 2, 0, 3), "replicate") + F.pad(x[0], (1, 2, 3, 0), "circular"),
    "unfold": lambda x: x.unfold(2, 3, 1) * x.unfold(-1, 3, 1).transpose(2, 3).mean(-2, keepdim=True),
    "types": lambda x: x.float().double() * x.to(torch.float32).to(x) + x.type(torch.float32).type_as(x) + x.to("cpu"),
    "narrow types": lambda x: x.half().double() * x.bfloat16().to(dtype=torch.float64, copy=True) + x.cpu(),
    "layouts": lambda x: x.mT.contiguous() * torch.clone(x),
}
SIGNS = torch.tensor([True, False, True, True])

BY_TORCH = {
    "relu6": F.relu6,
    "gelu, tanh": lambda x: F.gelu(x, approximate="tanh"),
    "elu": lambda x: F.elu(x) + F.celu(x) + F.selu(x),
    "softplus": lambda x: F.softplus(x) + F.mish(x) + F.logsigmoid(x) + F.softsign(x),
    "hardswish": lambda x: F.hardswish(x) + F.hardtanh(x) + F.hardsigmoid(x) + F.softshrink(x) + F.glu(x, 1).sum(),
    "prelu": lambda x: F.prelu(x, COLUMN.flatten()),
    "clamp by the input": lambda x: x.clamp(x.mean(), x.exp()) + x.clamp(min=HIGHER),
    "pow zero": lambda x: x**0,
    "pow of tensors": lambda x: x.abs() ** ROW + 2**x + x.abs() ** x + torch.pow(2.0, x) + torch.pow(ROW.abs(), x),
    "remainders": lambda x: x % 2 + torch.fmod(x, 3) + torch.frac(x) + x.remainder(COLUMN),
    "trigonometry": lambda x: torch.atan2(x, ROW) + torch.erf(x) + x.sinh() + torch.log1p(x.square()) + x.expm1(),
    "lerp": lambda x: (
        torch.lerp(x, x.sin(), 0.3) + torch.addcmul(x, x, ROW) + torch.hypot(x, ROW) + torch.nan_to_num(x)
    ),
    "a number of another type": lambda x: x * (x.float().sum() * torch.tensor(2.0).double()),
    "matmul, one dimension": lambda x: (
        x @ ROW + torch.dot(x[0, 0, 0], ROW) + (x[0, 0, 0] @ x)[..., :1] + x[0, 0].mv(ROW)[0]
    ),
    "tensordot": lambda x: torch.tensordot(x, fixed(6, 3), 1) + torch.kron(x[0, 0], ROW)[:, :3].sum(),
    "two arrays": lambda x: x[:, PLACES, PLACES] + x[PLACES, 0, PLACES][:, None, None, :1].sum(),
    "two arrays apart": lambda x: x[PLACES, :, [0, 1, 2]] + x[np.array([0, 1, 2]), :, PLACES] + x[0, :, PLACES][0, 0],
    "triangles": lambda x: x.repeat_interleave(2, 1) + torch.rot90(x, 1, (2, 3)).repeat(1, 2, 1, 1),
    "list of ranks": lambda x: torch.block_diag(x[0, 0], x[1, 1]) + torch.combinations(x[0, 0, 0])[:12, :1],
}
