"""What a training runs on, and in which precision."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Hardware:
    """A device, whether layers run in bfloat16 (weights stay floats), and whether the network is compiled.

    Channels lie last in memory, which convolutions want on every device.
    """

    device: str = "cpu"
    half_precision: bool = False
    compiled: bool = False

    def place(self, tensor: Tensor) -> Tensor:
        """Return a tensor on the device."""
        layout = torch.channels_last if tensor.dim() == 4 else torch.preserve_format
        return tensor.to(self.device).contiguous(memory_format=layout)

    def settle(self, network: nn.Module) -> nn.Module:
        """Return the network on the device, with channels last."""
        place: Any = nn.Module.to  # diffusers' own `to` warns, and torch's types know no memory format
        return place(network, self.device, memory_format=torch.channels_last)

    def called(self, network: nn.Module) -> nn.Module:
        """Return what to call in place of the network: itself, or its compiled form, which shares its weights."""
        quicken: Any = torch.compile  # its types say that a function comes back
        form: nn.Module = quicken(network) if self.compiled else network
        return form

    def precision(self) -> AbstractContextManager[object]:
        """Return the context in which layers are called."""
        return torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.half_precision)
