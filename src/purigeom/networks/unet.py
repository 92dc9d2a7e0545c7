"""diffusers' unconditional `UNet2DModel` by the name of its checkpoint."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from purigeom.networks.attention import use_plain_attention
from purigeom.networks.files import digest, folder, settings, weights_file
from purigeom.networks.modules import loaded
from purigeom.networks.tensors import refuse_vast

_SCHEDULE_FIELDS = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas")


@dataclass(frozen=True)
class UNet:
    """A noise predictor: a diffusers folder of an unconditional UNet or DDPM pipeline, or its hub id.

    Examples
    --------
    >>> UNet("digits-ddpm").config()["sample_size"]
    8
    """

    checkpoint: str

    def content(self) -> str:
        """Return the digest of the weights, the architecture and the noise schedule."""
        part = _unet_folder(self.checkpoint)
        files = [weights_file(part), part / "config.json", _schedule_file(self.checkpoint)]
        return digest([file for file in files if file is not None])

    def config(self) -> dict[str, Any]:
        """Return the architecture."""
        config: dict[str, Any] = settings(_unet_folder(self.checkpoint) / "config.json")
        if not {"sample_size", "in_channels", "out_channels"} <= {name for name in config if config[name]}:
            msg = f"UNet({self.checkpoint!r}) must say sample_size, in_channels and out_channels in config.json."
            raise ValueError(msg)
        if config.get("num_class_embeds") or config.get("class_embed_type"):
            msg = f"UNet({self.checkpoint!r}) must be unconditional; config.json asks for classes."
            raise ValueError(msg)
        return config

    def check(self, image_shape: tuple[int, ...]) -> None:
        """Raise unless the network predicts noise for images of this shape."""
        config = self.config()
        size = config["sample_size"]
        channels = (config["in_channels"], config["out_channels"])
        height, width = (size, size) if isinstance(size, int) else size
        if channels != (image_shape[0], image_shape[0]) or (height, width) != tuple(image_shape[1:]):
            msg = (
                f"UNet({self.checkpoint!r}) takes {channels[0]} and returns {channels[1]} channels of size "
                f"{height}x{width}; got images of shape {tuple(image_shape)}. Choose images or a checkpoint that fit."
            )
            raise ValueError(msg)

    def alpha_bars(self) -> Tensor:
        """Return the signal level after each time index, in float64; DDPM's linear schedule unless it says."""
        return _alpha_bars(_schedule_file(self.checkpoint), self.content())

    def module(self, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """Return the network on a device, loaded once per process."""
        return loaded(_load, self, self.content(), device, dtype)


def _unet_folder(checkpoint: str) -> Path:
    root = folder(checkpoint)
    part = root / "unet" if (root / "unet").is_dir() else root
    config = part / "config.json"
    kind = settings(config).get("_class_name") if config.is_file() else None
    if kind != "UNet2DModel":
        found = "no config.json" if kind is None else f"a {kind}"
        msg = f"UNet({checkpoint!r}) must hold an unconditional UNet2DModel; {part} holds {found}."
        raise ValueError(msg)
    return part


def _schedule_file(checkpoint: str) -> Path | None:
    root = folder(checkpoint)
    candidates = (root / "scheduler" / "scheduler_config.json", root / "scheduler_config.json")
    return next((path for path in candidates if path.is_file()), None)


@lru_cache
def _alpha_bars(schedule: Path | None, content: str) -> Tensor:
    del content  # part of the cache's key: a schedule that changed is read anew
    from diffusers import DDPMScheduler

    config = settings(schedule) if schedule else {}
    if config.get("prediction_type", "epsilon") != "epsilon":
        msg = f"{schedule} must say prediction_type 'epsilon', noise; got {config['prediction_type']!r}."
        raise ValueError(msg)
    fields = {name: config[name] for name in _SCHEDULE_FIELDS if config.get(name) is not None}
    betas: Tensor = DDPMScheduler(**fields).betas
    return torch.cumprod(1 - betas.double(), 0)


def _load(who: UNet) -> nn.Module:
    from diffusers import UNet2DModel

    part = _unet_folder(who.checkpoint)
    safe = weights_file(part).suffix == ".safetensors"
    try:
        refuse_vast(lambda: UNet2DModel.from_config(settings(part / "config.json")), weights_file(part), "config.json")
        module, found = UNet2DModel.from_pretrained(
            part, local_files_only=True, use_safetensors=safe, low_cpu_mem_usage=False, output_loading_info=True
        )
    except Exception as error:
        msg = (
            f"UNet({who.checkpoint!r}) could not be loaded from {weights_file(part)}: it must hold tensors only, "
            f"safetensors or weights_only, that fit config.json; {type(error).__name__}: {error}"
        )
        raise ValueError(msg) from error
    gaps = {kind: names for kind, names in found.items() if names and kind.endswith("_keys")}
    if gaps:
        msg = f"UNet({who.checkpoint!r}) must hold exactly the tensors that config.json asks for; it has {gaps}."
        raise ValueError(msg)
    use_plain_attention(module)
    return module
