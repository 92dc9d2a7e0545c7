"""Save a trained network as the folder that descriptions of networks load: its settings and its weights."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import nn


def saved(target: Path, network: nn.Module, settings: Mapping[str, Any], *, half: bool = True) -> nn.Module:
    """Save a network as config.json and safetensors, of half floats or floats; return what loading it gives."""
    stored = copy.deepcopy(network).cpu()
    stored = stored.half() if half else stored
    target.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in stored.state_dict().items()}, target / "model.safetensors")
    (target / "config.json").write_text(json.dumps(settings, indent=2) + "\n")
    return stored.float().eval()
