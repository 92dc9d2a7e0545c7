"""Attention in plain operations: what forward-mode derivatives and vmap can go through."""

from typing import Any

import torch
from torch import Tensor, nn


def attended(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    """Return, for every token, the mean of all values, weighted by how well its query meets their keys."""
    return torch.softmax(query @ key.transpose(-1, -2) * scale, -1) @ value


class PlainAttention:
    """Process diffusers' self-attention with an explicit softmax and a contiguous result.

    No fused kernel has a forward-mode derivative, and GroupNorm's needs contiguous input, which the usual
    transposed result would deny to every later layer.
    """

    def __call__(self, attention: Any, hidden_states: Tensor, *_: Any, temb: Any = None, **__: Any) -> Tensor:
        """Return the attended states, (image, channel, row, column); nothing else enters an unconditional UNet."""
        del temb  # diffusers looks for the name, and warns in every call where it is missing
        tokens = hidden_states.flatten(2)
        if attention.group_norm is not None:
            tokens = attention.group_norm(tokens)
        tokens = tokens.transpose(1, 2)
        projections = (attention.to_q, attention.to_k, attention.to_v)
        query, key, value = (
            project(tokens).unflatten(2, (attention.heads, -1)).transpose(1, 2) for project in projections
        )
        mixed = attended(query, key, value, attention.scale).transpose(1, 2).flatten(2)
        mixed = attention.to_out[0](mixed).transpose(1, 2).reshape(hidden_states.shape).contiguous()
        if attention.residual_connection:
            mixed = mixed + hidden_states
        return mixed / attention.rescale_output_factor


def use_plain_attention(module: nn.Module) -> None:
    """Replace the processor of every attention layer of a diffusers model."""
    from diffusers.models.attention_processor import Attention

    for layer in module.modules():
        if isinstance(layer, Attention):
            layer.set_processor(PlainAttention())
