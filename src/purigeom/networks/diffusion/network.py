"""The U-net of published diffusion networks, in operations that derivatives of every kind go through."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from purigeom.networks.attention import attended
from purigeom.networks.diffusion.architecture import Architecture, Resampling, Stage, Style, stages

_SLOWEST = 10000


class Network(nn.Module):
    """The whole network: states and one time index to as many channels as the architecture says."""

    def __init__(self, architecture: Architecture, style: Style) -> None:
        super().__init__()
        width, time_width = architecture.width, 4 * architecture.width
        self.stages = stages(architecture, style)
        self.sines_first = style.sines_first
        self.time = nn.ModuleList([nn.Linear(width, time_width), nn.Linear(time_width, time_width)])
        self.inlet = nn.Conv2d(architecture.channels, width, 3, padding=1)
        self.blocks = nn.ModuleList([Block(stage, style, time_width, architecture.head) for stage in self.stages])
        self.norm = _norm(self.stages[-1].outputs, style)
        self.outlet = nn.Conv2d(self.stages[-1].outputs, architecture.outputs, 3, padding=1)

    def forward(self, state: Tensor, time: float | Tensor) -> Tensor:
        """Return the answer for states that share one time index."""
        waves = embedded(float(time), self.inlet.out_channels, sines_first=self.sines_first)
        moment = self.time[0](waves.to(self.inlet.weight)[None])
        moment = functional.silu(self.time[1](functional.silu(moment)))
        state = self.inlet(state)
        kept = [state]
        for stage, block in zip(self.stages, self.blocks, strict=True):
            if stage.joins:
                state = torch.cat([state, kept.pop()], 1)
            state = block(state, moment)
            if stage.place == "encoder":
                kept.append(state)
        return self.outlet(functional.silu(self.norm(state)))


class Block(nn.Module):
    """A residual block that time modulates, and attention after it where its stage attends."""

    def __init__(self, stage: Stage, style: Style, time_width: int, head: int | None) -> None:
        super().__init__()
        inputs, outputs = stage.inputs, stage.outputs
        projects = inputs != outputs or (stage.resampling is not None and style.projects_resampled)
        self.stage, self.style = stage, style
        self.norm_in = _norm(inputs, style)
        self.conv_in = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.time = nn.Linear(time_width, outputs * (2 if style.scales else 1))
        self.norm_out = _norm(outputs, style)
        self.conv_out = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if projects else nn.Identity()
        self.attention = Attention(outputs, style, head) if stage.attends else nn.Identity()

    def forward(self, state: Tensor, moment: Tensor) -> Tensor:
        """Return the next state at a moment, which is the embedded time."""
        branch = self.conv_in(_resampled(functional.silu(self.norm_in(state)), self.stage.resampling))
        branch = self.conv_out(functional.silu(self._modulated(branch, moment)))
        shortcut = self.shortcut(_resampled(state, self.stage.resampling))
        return self.attention((shortcut + branch) * self.style.gain)

    def _modulated(self, branch: Tensor, moment: Tensor) -> Tensor:
        shift = self.time(moment)[:, :, None, None]
        if not self.style.scales:
            return self.norm_out(branch + shift)
        scale, shift = shift.chunk(2, 1)
        return self.norm_out(branch) * (1 + scale) + shift


class Attention(nn.Module):
    """Self-attention of all pixels; the projections are queries, keys and values, each of them head by head."""

    def __init__(self, channels: int, style: Style, head: int | None) -> None:
        super().__init__()
        self.heads, self.gain = channels // (head or channels), style.gain
        self.norm = _norm(channels, style)
        self.projections = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, state: Tensor) -> Tensor:
        """Return the state with what it attends to added."""
        parts = self.projections(self.norm(state)).flatten(2).chunk(3, 1)
        query, key, value = (part.unflatten(1, (self.heads, -1)).transpose(-1, -2) for part in parts)
        mixed = attended(query, key, value, query.shape[-1] ** -0.5)
        mixed = mixed.transpose(-1, -2).reshape(state.shape).contiguous()
        return (state + self.out(mixed)) * self.gain


def embedded(time: float, width: int, *, sines_first: bool) -> Tensor:
    """Return sines and cosines of a time index, in float64, which large indices need."""
    half = width // 2
    steps = torch.arange(half, dtype=torch.float64) / (half - 1 if sines_first else half)
    angles = time * torch.exp(-math.log(_SLOWEST) * steps)
    waves = (angles.sin(), angles.cos())
    return torch.cat(waves if sines_first else waves[::-1])


def _norm(channels: int, style: Style) -> nn.GroupNorm:
    return nn.GroupNorm(min(32, channels // style.group), channels, eps=style.epsilon)


def _resampled(state: Tensor, resampling: Resampling | None) -> Tensor:
    if resampling == "up":
        return functional.interpolate(state, scale_factor=2, mode="nearest")
    return functional.avg_pool2d(state, 2) if resampling == "down" else state
