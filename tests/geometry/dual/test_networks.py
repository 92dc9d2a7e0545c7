"""Networks as strangers write them are differentiated exactly, on stacks."""

import pytest
import torch
from diffusers.models.attention_processor import Attention, AttnProcessor
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.func import vjp
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils.parametrizations import weight_norm

from purigeom.geometry.chain import Chain
from purigeom.geometry.jacobian import Jacobian
from tests.checkpoints import module as unet
from tests.geometry.dual.agreement import assert_pushed_as_by_torch, assert_same, by_torch, fixed, on_stacks, ways

pytestmark = pytest.mark.filterwarnings("ignore:There is a performance drop")  # torch maps some functions one by one

IMAGES, TANGENTS = fixed(4, 4, 8, 8), fixed(3, 4, 4, 8, 8, seed=1)


def by_pulling_twice(step, state, tangents):
    """Return tangents without torch's forward mode, which fails for some layouts: what pulls a pull pushes."""
    with sdpa_kernel(SDPBackend.MATH):
        value, pull = vjp(step, state)
        push = vjp(lambda cotangent: pull(cotangent)[0], torch.zeros_like(value))[1]
        return value, torch.stack([push(tangent)[0] for tangent in tangents])


class Residual(nn.Module):
    def __init__(self, inner) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x):
        out = self.inner(x)
        out += x
        return out


class Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, x):
        tokens = x.flatten(2).mT
        return x + self.attention(tokens, tokens, tokens)[0].mT.unflatten(-1, x.shape[2:])


class Gated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 8, 1)

    def forward(self, x):
        gate, value = self.conv(x).chunk(2, dim=1)
        return {"out": (torch.sigmoid(gate) * value, gate)}["out"][0]


PIECES = {
    "conv": lambda: nn.Conv2d(4, 4, 3, padding=1),
    "depthwise": lambda: nn.Conv2d(4, 4, 3, padding=1, groups=4, padding_mode="reflect", bias=False),
    "up": lambda: nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.AvgPool2d(2)),
    "down": lambda: nn.Sequential(nn.MaxPool2d(2), nn.ConvTranspose2d(4, 4, 2, stride=2)),
    "shuffle": lambda: nn.Sequential(
        nn.Conv2d(4, 16, 1), nn.PixelShuffle(2), nn.PixelUnshuffle(2), nn.Conv2d(16, 4, 1)
    ),
    "group": lambda: nn.GroupNorm(2, 4),
    "batch": lambda: nn.BatchNorm2d(4),
    "instance": lambda: nn.InstanceNorm2d(4, affine=True),
    "layer": lambda: nn.LayerNorm(8),
    "relu": lambda: nn.ReLU(inplace=True),
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "elu": lambda: nn.ELU(inplace=True),
    "leaky": lambda: nn.LeakyReLU(0.1, inplace=True),
    "dropout": nn.Dropout2d,
    "softmax": nn.Softmax2d,
    "residual": lambda: Residual(nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 1))),
    "attention": Attending,
    "gated": Gated,
    "weight norm": lambda: weight_norm(nn.Conv2d(4, 4, 3, padding=1)),
}


def built(build, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build().double().eval().requires_grad_(False)


class Step(nn.Module):
    """A module as an image map that leaves its input as it was."""

    def __init__(self, inner) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x.clone())


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    names=st.lists(st.sampled_from(sorted(PIECES)), min_size=1, max_size=7),
    seed=st.integers(0, 99),
    count=st.sampled_from([1, 3]),
)
def test_any_network_of_usual_pieces_is_differentiated_on_stacks_as_by_torch(names, seed, count) -> None:
    network = Step(built(lambda: nn.Sequential(*(PIECES[name]() for name in names)), seed))
    answer, _ = on_stacks(network, IMAGES, TANGENTS[:count])
    assert_same((answer.stack[0], answer.stack[1:]), by_torch(network, IMAGES, TANGENTS[:count]), 1e-10)


@pytest.mark.parametrize(
    ("processor", "tolerance"),
    [(None, 1e-10), (AttnProcessor(), 1e-6)],  # the latter computes its softmax in single precision
    ids=["default attention", "plain attention"],
)
def test_a_diffusers_unet_follows_rules_alone(processor, tolerance) -> None:
    network = unet().double().eval().requires_grad_(False)
    if processor is not None:
        network.apply(lambda part: part.set_processor(processor) if isinstance(part, Attention) else None)

    def step(x):
        return x - network(x, 7).sample

    images, tangents = IMAGES[:, :1], TANGENTS[:, :, :1]
    answer, taken = on_stacks(step, images, tangents)
    assert_same((answer.stack[0], answer.stack[1:]), by_pulling_twice(step, images, tangents), tolerance)
    assert ways(taken) == {"rule"}, taken


class Block(nn.Module):
    """A residual block as in torchvision."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x
        return self.relu(out)


def test_a_residual_block_with_activations_in_place_follows_rules_alone() -> None:
    block = built(lambda: nn.Sequential(Block(), Block()))
    assert_pushed_as_by_torch(block, IMAGES, TANGENTS)
    assert ways(on_stacks(block, IMAGES, TANGENTS)[1]) == {"rule"}


def test_a_network_in_bfloat16_is_near_the_exact_one() -> None:
    network = built(
        lambda: nn.Sequential(*(PIECES[name]() for name in ("conv", "group", "silu", "attention", "residual")))
    )
    exact = by_torch(network, IMAGES, TANGENTS)[1]
    vectors = TANGENTS.flatten(2).movedim(0, -1).float()
    pushed_narrow = Jacobian(Chain((network.float(),)), IMAGES.float(), narrow=torch.bfloat16).push(vectors)
    gap = pushed_narrow.double() - exact.flatten(2).movedim(0, -1)
    assert 1e-5 < gap.norm() / exact.norm() < 2e-2


def test_a_whole_diffusers_unet_in_bfloat16_is_near_the_exact_one() -> None:
    network = unet().eval().requires_grad_(False)
    chain = Chain((lambda x: x - functional.silu(network(x, 7).sample),))
    images, vectors = IMAGES[:, :1].float(), TANGENTS[:, :, :1].flatten(2).movedim(0, -1).float()
    narrow, exact = (Jacobian(chain, images, narrow=kind).push(vectors) for kind in (torch.bfloat16, None))
    assert 1e-5 < (narrow - exact).norm() / exact.norm() < 2e-2
