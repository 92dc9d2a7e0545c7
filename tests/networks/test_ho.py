"""Ho et al.'s CIFAR-10 network in diffusers' form, which `UNet` reads: `google/ddpm-ema-cifar10-32` and its like."""

import torch
from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel
from safetensors.torch import load_file

from purigeom.networks.unet import UNet

HO = {
    "act_fn": "silu",
    "attention_head_dim": None,
    "block_out_channels": (128, 256, 256, 256),
    "center_input_sample": False,
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
    "downsample_padding": 0,
    "flip_sin_to_cos": False,
    "freq_shift": 1,
    "in_channels": 3,
    "layers_per_block": 2,
    "mid_block_scale_factor": 1,
    "norm_eps": 1e-6,
    "norm_num_groups": 32,
    "out_channels": 3,
    "sample_size": 32,
    "time_embedding_type": "positional",
    "up_block_types": ("UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
}
SMALL = {**HO, "block_out_channels": (32, 64, 64, 64)}
SCHEDULE = {"beta_start": 1e-4, "beta_end": 0.02, "beta_schedule": "linear", "variance_type": "fixed_large"}
OLD_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
STATES = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_the_published_configuration_has_the_published_size() -> None:
    """35.7 million parameters, as Ho et al. (2020) say in their appendix."""
    with torch.device("meta"):
        network = UNet2DModel(**HO)
    assert sum(parameter.numel() for parameter in network.parameters()) == 35_746_307


def test_a_smaller_network_of_the_published_configuration_loads_under_the_names_of_its_time(tmp_path) -> None:
    """The published weights name attention's layers as diffusers did before its version 0.15."""
    torch.manual_seed(0)
    network = UNet2DModel(**SMALL).eval()
    DDPMPipeline(network, DDPMScheduler(**SCHEDULE)).save_pretrained(tmp_path)
    weights = tmp_path / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    for new, old in OLD_NAMES.items():
        tensors = {name.replace(new, old): tensor for name, tensor in tensors.items()}
    assert any("proj_attn" in name for name in tensors)
    torch.save(tensors, weights.with_suffix(".bin"))
    weights.unlink()
    unet = UNet(str(tmp_path))
    unet.check((3, 32, 32))
    predicted = unet.module(torch.device("cpu"), torch.float32)(STATES, 99).sample
    with torch.no_grad():
        torch.testing.assert_close(predicted, network(STATES, 99).sample, rtol=1e-4, atol=1e-5)
