"""The published networks against what their own code says of them, and against diffusers' layers.

Digests of names and shapes, and the numbers that networks of waves answer, come from the published code itself, run
once on the architectures here; its time embedding was computed in float64, as ours is.
"""

import pytest
import torch
from diffusers.models.attention_processor import Attention as DiffusersAttention
from diffusers.models.attention_processor import AttnProcessor
from diffusers.models.embeddings import get_timestep_embedding
from diffusers.models.resnet import ResnetBlock2D

from purigeom.networks.diffusion import edm, guided, score_sde
from purigeom.networks.diffusion.architecture import DHARIWAL, SONG, Stage
from purigeom.networks.diffusion.layout import ours, published
from purigeom.networks.diffusion.network import Attention, Block, Network, embedded
from purigeom.networks.diffusion.schedule import linear_alpha_bars, signal
from purigeom.networks.unet import UNet
from tests.networks.published import KINDS, digest, filled, saved, shapes, waves

CPU = torch.device("cpu")
AUGMENTATION = 128 * 9
"""Parameters of EDM's that only training uses."""


@pytest.mark.parametrize(
    ("kind", "architecture", "parameters", "entries", "names_and_shapes"),
    [
        (score_sde.FORMAT, score_sde.DDPMPP_DEEP, 106_632_579, 957, "c1154bd2dc40c73e"),
        (score_sde.FORMAT, score_sde.DDPMPP, 61_804_419, 565, "138928b2c233ce51"),
        (guided.FORMAT, guided.IMAGENET_256, 552_814_086, 566, "b9c90be1570d1541"),
        (edm.FORMAT, edm.CIFAR10_VP, 55_733_891 - AUGMENTATION, 425, "1c5f38fd273af62a"),
    ],
    ids=["score-SDE, deep", "score-SDE", "guided-diffusion", "EDM"],
)
def test_published_networks_have_the_published_names_shapes_and_sizes(
    kind, architecture, parameters, entries, names_and_shapes
) -> None:
    with torch.device("meta"):
        network = Network(architecture, kind.style)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters
    named = shapes(kind, architecture)
    assert len(named) == entries
    assert digest(named).startswith(names_and_shapes)


@pytest.mark.parametrize(
    ("kind", "architecture", "name", "shape"),
    [
        (score_sde.FORMAT, score_sde.DDPMPP_DEEP, "all_modules.2.weight", (128, 3, 3, 3)),
        (score_sde.FORMAT, score_sde.DDPMPP_DEEP, "all_modules.11.NIN_0.W", None),
        (score_sde.FORMAT, score_sde.DDPMPP_DEEP, "all_modules.13.NIN_3.W", (256, 256)),
        (guided.FORMAT, guided.IMAGENET_256, "out.2.weight", (6, 256, 3, 3)),
        (guided.FORMAT, guided.IMAGENET_256, "middle_block.1.qkv.weight", (3072, 1024, 1)),
        (edm.FORMAT, edm.CIFAR10_VP, "model.dec.8x8_in0.qkv.weight", (768, 256, 1, 1)),
        (edm.FORMAT, edm.CIFAR10_VP, "model.enc.16x16_down.skip.weight", (256, 256, 1, 1)),
    ],
)
def test_some_tensors_are_where_the_published_files_have_them(kind, architecture, name, shape) -> None:
    assert shapes(kind, architecture).get(name) == shape


ANSWERS = {
    ("score-SDE", 3): (-0.66798, 2.897036, -1.266835, -0.166494, 0.91176, 1.141887, 0.64409, -0.50308),
    ("score-SDE", 99.9): (-0.62218, 3.105255, -1.1438, -0.186464, 0.692793, 1.144249, 0.658741, -0.511286),
    ("guided-diffusion", 3): (-1.277314, -0.751992, 0.122603, -0.002438, -0.598459, -0.036993, -1.164287, -1.43396),
    ("guided-diffusion", 99.5): (-1.277444, -0.752652, 0.121605, -0.00206, -0.598578, -0.03651, -1.168593, -1.430294),
    ("EDM", 99): (0.36399, 0.784003, 1.658485, 0.059395, -0.376304, -0.740308, 0.656275, 3.107118),
    ("EDM", 99.9): (0.363785, 0.785962, 1.65848, 0.058583, -0.378906, -0.741664, 0.657286, 3.105537),
}


@pytest.mark.parametrize(("name", "time"), ANSWERS)
def test_networks_of_waves_answer_what_the_published_code_answers(name, time, tmp_path) -> None:
    """The states are waves too; every 37th number of the answer is compared, to the digits noted."""
    index = time if isinstance(time, int) else torch.tensor(time, dtype=torch.float64)
    answer = saved(name, tmp_path).module(CPU, torch.float64)(waves(8), index).sample
    expected = torch.tensor(ANSWERS[name, time], dtype=torch.float64)
    torch.testing.assert_close(answer.flatten()[::37][:8], expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_tensors_go_from_a_file_and_back(kind) -> None:
    with torch.device("meta"):
        needed = Network(kind.tiny, kind.format.style).state_dict()
    layout = kind.format.layout(kind.tiny, needed)
    theirs = filled({name: tuple(tensor.shape) for name, tensor in published(layout, needed).items()})
    own = ours(layout, theirs)
    assert {name: tensor.shape for name, tensor in own.items()} == {name: t.shape for name, t in needed.items()}
    back = published(layout, own)
    assert back.keys() == theirs.keys()
    assert all(torch.equal(back[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("resampling", [None, "up", "down"])
@pytest.mark.parametrize("style", [SONG, DHARIWAL], ids=["Song", "Dhariwal"])
def test_a_block_is_diffusers_residual_block(style, resampling) -> None:
    torch.manual_seed(0)
    block = Block(Stage("encoder", 8, 32, 64, resampling), style, 16, None).double()
    theirs = ResnetBlock2D(
        in_channels=32,
        out_channels=64,
        temb_channels=16,
        groups=min(32, 32 // style.group),
        groups_out=min(32, 64 // style.group),
        eps=style.epsilon,
        time_embedding_norm="scale_shift" if style.scales else "default",
        skip_time_act=True,
        kernel="sde_vp",
        output_scale_factor=1 / style.gain,
        up=resampling == "up",
        down=resampling == "down",
    ).double()
    names = {"norm_in": "norm1", "conv_in": "conv1", "time": "time_emb_proj", "norm_out": "norm2", "conv_out": "conv2"}
    for own, other in {**names, "shortcut": "conv_shortcut"}.items():
        getattr(theirs, other).load_state_dict(getattr(block, own).state_dict())
    state, moment = torch.randn(2, 32, 8, 8, dtype=torch.float64), torch.randn(2, 16, dtype=torch.float64)
    torch.testing.assert_close(block(state, moment), theirs(state, moment))


@pytest.mark.parametrize(("style", "head"), [(SONG, None), (DHARIWAL, 8)], ids=["Song", "Dhariwal"])
def test_attention_is_diffusers_attention(style, head) -> None:
    torch.manual_seed(0)
    attention = Attention(32, style, head).double()
    theirs = DiffusersAttention(
        32,
        heads=attention.heads,
        dim_head=head or 32,
        norm_num_groups=min(32, 32 // style.group),
        eps=style.epsilon,
        bias=True,
        residual_connection=True,
        rescale_output_factor=1 / style.gain,
        processor=AttnProcessor(),
    ).double()
    theirs.group_norm.load_state_dict(attention.norm.state_dict())
    parts = (theirs.to_q, theirs.to_k, theirs.to_v)
    weights, biases = attention.projections.weight.flatten(1).chunk(3), attention.projections.bias.chunk(3)
    for part, weight, bias in zip(parts, weights, biases, strict=True):
        part.load_state_dict({"weight": weight, "bias": bias})
    theirs.to_out[0].load_state_dict({"weight": attention.out.weight.flatten(1), "bias": attention.out.bias})
    state = torch.randn(2, 32, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(attention(state), theirs(state))


@pytest.mark.parametrize("sines_first", [True, False])
def test_time_is_embedded_as_in_diffusers(sines_first) -> None:
    theirs = get_timestep_embedding(
        torch.tensor([123.0]), 32, flip_sin_to_cos=not sines_first, downscale_freq_shift=float(sines_first)
    )
    own = embedded(123.0, 32, sines_first=sines_first)
    torch.testing.assert_close(own, theirs[0].double(), rtol=0, atol=1e-4)  # theirs is computed in float32


def test_all_published_networks_are_asked_on_diffusers_linear_schedule(tmp_path) -> None:
    for name in KINDS:
        levels = saved(name, tmp_path).alpha_bars()
        torch.testing.assert_close(levels, UNet("digits-ddpm").alpha_bars(), rtol=1e-5, atol=0)


def test_between_levels_the_signal_is_the_sde_s() -> None:
    """In 1000 steps the discrete process is within one percent of the SDE half an index later."""
    levels = linear_alpha_bars()
    for level in (10, 100, 500):
        assert signal(torch.tensor(level + 0.5)) == pytest.approx(levels[level].item(), rel=0.01)
        assert signal(level) == levels[level]
        assert signal(torch.as_tensor(level)) == levels[level], "as compiled networks are told"


def test_edm_denoises_by_the_published_equation(tmp_path) -> None:
    """Karras et al. (2022), equation 7 and table 1, with pixels of deviation 0.5."""
    network = saved("EDM", tmp_path).module(CPU, torch.float64)
    level, state = 99, waves(8)
    bar = linear_alpha_bars()[level]
    deviation, clean = ((1 - bar) / bar).sqrt(), 0.5
    noisy, reach = state / bar.sqrt(), (deviation**2 + clean**2).sqrt()
    answer = network.network(noisy / reach, deviation.log() / 4)
    guess = clean**2 / reach**2 * noisy + deviation * clean / reach * answer
    torch.testing.assert_close(network(state, level).sample, (noisy - guess) / deviation)
