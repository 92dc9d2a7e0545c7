"""Layers and reductions, each by the way in which duals are expected to pass it."""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from tests.geometry.dual.agreement import fixed

SCALE, SHIFT = fixed(4), fixed(4, seed=9)
KERNEL, CHANNELS = fixed(4, 2, 3, 3), fixed(4, 4)
GRID = fixed(4, 5, 5, 2).tanh()
MASK = fixed(6, 6) > -1
PLACES = torch.tensor([2, 0, 1])


def module(build):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build().double().eval().requires_grad_(False)


def lines(x):
    """Return the images as (batch, channel, pixel)."""
    return x.flatten(2)


def volumes(x):
    return x.unflatten(-1, (2, 3))


def tokens(x):
    return x.flatten(2).transpose(1, 2)


ATTENTION = module(lambda: nn.MultiheadAttention(4, 2, batch_first=True))
ENCODER = module(lambda: nn.TransformerEncoderLayer(4, 2, 8, batch_first=True))
RECURRENT = module(lambda: nn.GRU(4, 3, batch_first=True))
BATCH = module(lambda: nn.BatchNorm2d(4))
BATCH.running_mean.copy_(SHIFT)
BATCH.running_var.copy_(SCALE.exp())

RULED = {
    "conv1d": lambda x: F.conv1d(lines(x), fixed(6, 4, 3), fixed(6)),
    "conv2d": lambda x: F.conv2d(x, fixed(3, 4, 3, 3), fixed(3), padding="same"),
    "conv2d, no bias, strided, grouped": lambda x: F.conv2d(x, KERNEL, stride=2, padding=1, groups=2),
    "conv2d, dilated, bias by name": lambda x: F.conv2d(x, KERNEL, bias=SHIFT, dilation=(1, 2), groups=2),
    "conv3d": lambda x: F.conv3d(volumes(x), fixed(2, 4, 3, 2, 3), fixed(2)),
    "conv_transpose1d": lambda x: F.conv_transpose1d(lines(x), fixed(4, 2, 3), fixed(2), stride=2),
    "conv_transpose2d": lambda x: F.conv_transpose2d(x, KERNEL, fixed(4), 2, 1, 1, 2),
    "conv_transpose3d": lambda x: F.conv_transpose3d(volumes(x), fixed(4, 1, 1, 2, 2)),
    "Conv2d, circular": module(lambda: nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular")),
    "linear": lambda x: F.linear(x, fixed(3, 6), fixed(3)),
    "linear, no bias, one dimension": lambda x: F.linear(x.flatten(), fixed(2, 576)),
    "group_norm": lambda x: F.group_norm(x, 2, SCALE, SHIFT, 1e-3),
    "group_norm, plain, torch's own": lambda x: torch.group_norm(x, 4),
    "group_norm, scale alone": lambda x: F.group_norm(x, 1, SCALE),
    "layer_norm": lambda x: F.layer_norm(x, (6, 6), fixed(6, 6), fixed(6, 6, seed=1)),
    "layer_norm, one dimension": nn.LayerNorm(6, elementwise_affine=False),
    "batch_norm": BATCH,
    "batch_norm, no scale": lambda x: F.batch_norm(lines(x), SHIFT, SCALE.exp()),
    "avg_pool2d": lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    "avg_pool2d, no batch": lambda x: F.avg_pool2d(x[0], 2),
    "adaptive_avg_pool2d": lambda x: F.adaptive_avg_pool2d(x, (3, 2)),
    "max_pool2d": lambda x: F.max_pool2d(x, 2),
    "max_pool2d, all options": lambda x: F.max_pool2d(x, 3, 2, 1, 2, ceil_mode=True),
    "MaxPool2d": nn.MaxPool2d(3, 1, 1),
    "interpolate, nearest": lambda x: F.interpolate(x, scale_factor=2.0),
    "interpolate, bilinear": lambda x: F.interpolate(x, (9, 4), mode="bilinear", align_corners=True),
    "interpolate, bicubic": lambda x: F.interpolate(x, scale_factor=0.5, mode="bicubic", antialias=True),
    "upsample": nn.Upsample(scale_factor=3),
    "pixel_shuffle": lambda x: F.pixel_shuffle(x, 2),
    "pixel_shuffle, no batch": lambda x: F.pixel_shuffle(x[1], 2),
    "pixel_unshuffle": lambda x: F.pixel_unshuffle(x, 3),
    "unfold and fold": lambda x: F.fold(F.unfold(x, 3, padding=1), (6, 6), 3, padding=1),
    "dropout in evaluation": lambda x: F.dropout2d(torch.dropout(F.dropout(x, training=False), 0.5, False), 0.5, False),
    "attention": lambda x: F.scaled_dot_product_attention(x, x * 2, x.sin()),
    "attention, scale": lambda x: F.scaled_dot_product_attention(x, fixed(4, 4, 3, 6), fixed(4, 4, 3, 5), scale=0.3),
    "softmax": lambda x: torch.softmax(x, 1) + F.softmax(x, dim=-1) + x.softmax(0),
    "sum": lambda x: x.sum(1, keepdim=True) + torch.sum(x, (-1, 2), keepdim=True),
    "sum of all": lambda x: x.sum() * x.sum(keepdim=True, dim=None),
    "sum over axis, another type": lambda x: torch.sum(x, axis=2, dtype=torch.float32).double(),
    "mean": lambda x: x - x.mean((2, 3), keepdim=True) - torch.mean(x, 0),
    "mean of all": lambda x: x - x.mean(),
    "gather": lambda x: torch.gather(x, 2, PLACES.reshape(1, 1, 3, 1).expand(4, 2, 3, 6)) + x[:, :2].gather(-2, ROWS),
    "index_select": lambda x: torch.index_select(x, 1, PLACES) + x.index_select(-3, PLACES.flip(0)),
    "where": lambda x: torch.where(MASK, x, x.sin()) + torch.where(x > 0, x, torch.zeros(6).double()),
    "where, the first plain": lambda x: torch.where(x > 0, fixed(6), x[0]),
}
ROWS = torch.zeros(4, 2, 3, 6, dtype=torch.long) + PLACES.reshape(3, 1)

BY_TORCH = {
    "conv2d, no batch": lambda x: F.conv2d(x[0], KERNEL, groups=2),
    "conv2d, weight from the input": lambda x: F.conv2d(fixed(1, 4, 8, 8), x[:, :, :3, :3]),
    "bilinear": lambda x: F.bilinear(x, x.sin(), fixed(3, 6, 6), fixed(3)),
    "instance_norm": lambda x: F.instance_norm(x, weight=SCALE),
    "rms_norm": lambda x: F.rms_norm(x, (6,), fixed(6)),
    "group_norm, scale from the input": lambda x: F.group_norm(x, 2, x[0, :, 0, 0]),
    "batch_norm, scale from the input": lambda x: F.batch_norm(x, SHIFT, SCALE.exp(), x[0, :, 0, 0]),
    "batch_norm of the batch": lambda x: F.batch_norm(x, None, None, training=True),
    "local_response_norm": lambda x: F.local_response_norm(x, 3),
    "normalize": lambda x: F.normalize(x, dim=1),
    "avg_pool1d": lambda x: F.avg_pool1d(lines(x), 3),
    "avg_pool3d": lambda x: F.avg_pool3d(volumes(x), (2, 1, 2)),
    "max_pool1d": lambda x: F.max_pool1d(lines(x), 3),
    "max_pool2d with indices": lambda x: F.max_pool2d(x, 2, return_indices=True)[0],
    "adaptive_max_pool2d": lambda x: F.adaptive_max_pool2d(x, 2),
    "grid_sample of the input's grid": lambda x: F.affine_grid(x[:, 0, :2, :3], [4, 1, 3, 3], align_corners=False),
    "channel_shuffle": lambda x: F.channel_shuffle(x, 2),
    "attention, boolean mask": lambda x: F.scaled_dot_product_attention(x, x, x, MASK),
    "attention, float mask": lambda x: F.scaled_dot_product_attention(x, x, x, fixed(6, 6)),
    "attention, mask of the input": lambda x: F.scaled_dot_product_attention(x, x, x, x),
    "attention to nothing": lambda x: F.scaled_dot_product_attention(x, x, x, MASK & (torch.arange(6) != 2)[:, None]),
    "attention, causal": lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True),
    "MultiheadAttention": lambda x: ATTENTION(tokens(x), tokens(x), tokens(x), need_weights=False)[0],
    "MultiheadAttention with weights": lambda x: ATTENTION(tokens(x), tokens(x), tokens(x))[1],
    "TransformerEncoderLayer": lambda x: ENCODER(tokens(x)),
    "softmax, another type": lambda x: torch.softmax(x.float(), 1, torch.float64),
    "log_softmax": lambda x: F.log_softmax(x, 1) + torch.log_softmax(x, -1),
    "softmin": lambda x: F.softmin(x, 2),
    "var": lambda x: x.var((1, 2)) + torch.var(x, 1).mean(1),
    "std": lambda x: x.std(dim=1, keepdim=True, unbiased=False) + x.std(),
    "norm": lambda x: x.norm(dim=1) + torch.linalg.vector_norm(x, 1, (1,)),
    "amax": lambda x: x.amax((2, 3)) + x.amin(1).amax(1)[:, :4],
    "max": lambda x: x.max(1).values + x.max() + torch.max(x, -1, keepdim=True)[0][:, 0],
    "min": lambda x: x.min(2)[0] - x.min(),
    "sort": lambda x: x.sort(-1, descending=True)[0] + torch.sort(x, 1).values,
    "topk": lambda x: x.topk(2, 1).values,
    "median": lambda x: x.flatten(1).median(1).values + torch.quantile(x, 0.3),
    "prod": lambda x: x.prod(1) + x.prod(-1, keepdim=True)[:, 0],
    "logsumexp": lambda x: torch.logsumexp(x, (1, 2)) + x.logsumexp(1).mean(1),
    "cumprod": lambda x: x.cumprod(1),
    "where, a number": lambda x: torch.where(MASK, x, 0.5) + torch.where(MASK, x, torch.zeros(6)),
    "where, method": lambda x: x.where(MASK, x.exp()),
    "masked_fill": lambda x: x.masked_fill(MASK, -1.0) * torch.masked_fill(x, ~MASK, x.mean()),
    "masked_select": lambda x: x.masked_select(MASK),
    "maximum": lambda x: torch.maximum(x, fixed(6)) + torch.minimum(x, x.flip(0)) + torch.fmax(x, x * 2),
    "scatter": lambda x: x.scatter(1, ROWS, x[:, :3] * 2) + torch.zeros_like(x).scatter_add(1, ROWS, x),
    "index_add": lambda x: x.index_add(1, PLACES, x[:, :3].sin()) + x.index_fill(2, PLACES, 0.0),
    "take_along_dim": lambda x: torch.take_along_dim(x, x.argsort(1), 1),
    "loss": lambda x: F.mse_loss(x, x.sin()) + F.cross_entropy(x, fixed(4, 4, 6, 6).softmax(1)),
    "inverse": lambda x: torch.linalg.inv(x + 9 * torch.eye(6)) + torch.linalg.det(x)[..., None, None],
    "fft": lambda x: torch.fft.ifft2(torch.fft.fft2(x) * fixed(6, 6).sigmoid()).real,
    "rfft": lambda x: (
        torch.fft.irfft(torch.fft.rfft(x) * (1 + 2j))
        - torch.imag(torch.fft.fft(x)) * torch.real(torch.fft.fft(x))
        + torch.fft.rfft(x).abs().mean()
    ),
}
