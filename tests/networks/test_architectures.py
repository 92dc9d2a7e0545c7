"""Claims about the architectures of published classifiers: their names of tensors, sizes and what they compute."""

import pytest
import torch
from torch import nn
from torch.func import jvp, vjp, vmap
from torch.nn import functional

from purigeom.networks.architectures import NORMALISATIONS, PUBLISHED
from purigeom.networks.residual import cifar_resnet, resnet
from purigeom.networks.tensors import fit, shapes
from purigeom.networks.wide_resnet import wide_resnet

PARAMETERS = {
    "wide-resnet-28-10": pytest.approx(36.48e6, abs=0.005e6),  # as studies of purification round it
    "cifar-resnet-20": pytest.approx(0.27e6, abs=0.005e6),  # as He et al. 2016 round theirs, table 6
    "cifar-resnet-32": pytest.approx(0.46e6, abs=0.005e6),
    "cifar-resnet-44": pytest.approx(0.66e6, abs=0.005e6),
    "cifar-resnet-56": pytest.approx(0.85e6, abs=0.005e6),
    "cifar-resnet-110": pytest.approx(1.7e6, abs=0.05e6),
    "resnet-18": 11_689_512,  # torchvision's own counts
    "resnet-34": 21_797_672,
    "resnet-50": 25_557_032,
}
NORMALISED = ("weight", "bias", "running_mean", "running_var")


def normalised(name: str) -> set[str]:
    return {f"{name}.{part}" for part in NORMALISED}


def keys_of_a_wide_resnet(depth: int) -> set[str]:
    keys = {"conv1.weight", *normalised("bn1"), "fc.weight", "fc.bias"}
    for group in (1, 2, 3):
        keys.add(f"block{group}.layer.0.convShortcut.weight")
        for layer in range((depth - 4) // 6):
            place = f"block{group}.layer.{layer}"
            keys |= {f"{place}.conv1.weight", f"{place}.conv2.weight"}
            keys |= normalised(f"{place}.bn1") | normalised(f"{place}.bn2")
    return keys


def keys_of_a_cifar_resnet(depth: int) -> set[str]:
    keys = {"conv1.weight", *normalised("bn1"), "linear.weight", "linear.bias"}
    for stage in (1, 2, 3):
        for place in (f"layer{stage}.{block}" for block in range((depth - 2) // 6)):
            keys |= {f"{place}.conv1.weight", f"{place}.conv2.weight"}
            keys |= normalised(f"{place}.bn1") | normalised(f"{place}.bn2")
    return keys


def keys_of_a_resnet(counts: tuple[int, ...], convolutions: int) -> set[str]:
    keys = {"conv1.weight", *normalised("bn1"), "fc.weight", "fc.bias"}
    for stage, count in enumerate(counts, 1):
        if stage > 1 or convolutions == 3:
            keys |= {f"layer{stage}.0.downsample.0.weight", *normalised(f"layer{stage}.0.downsample.1")}
        for place in (f"layer{stage}.{block}" for block in range(count)):
            keys |= {f"{place}.conv{one}.weight" for one in range(1, convolutions + 1)}
            keys |= set().union(*(normalised(f"{place}.bn{one}") for one in range(1, convolutions + 1)))
    return keys


KEYS = {
    "wide-resnet-28-10": keys_of_a_wide_resnet(28),
    "wide-resnet-34-20": keys_of_a_wide_resnet(34),
    "cifar-resnet-20": keys_of_a_cifar_resnet(20),
    "cifar-resnet-56": keys_of_a_cifar_resnet(56),
    "resnet-18": keys_of_a_resnet((2, 2, 2, 2), 2),
    "resnet-50": keys_of_a_resnet((3, 4, 6, 3), 3),
    "resnet-101": keys_of_a_resnet((3, 4, 23, 3), 3),
}


def empty(name: str) -> nn.Module:
    with torch.device("meta"):
        return PUBLISHED[name]()


def drawn(module: nn.Module) -> nn.Module:
    """Return the module with weights and averages that are all different from each other."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, value in module.state_dict().items():
        noise = torch.randn(value.shape, generator=generator)
        fan = max(1, value[0].numel() if value.dim() > 1 else 1)
        spread = noise / fan**0.5 if value.dim() > 1 else 0.1 * noise
        positive = name.endswith("running_var") or (value.dim() == 1 and name.endswith("weight"))
        state[name] = 1 + spread.abs() if positive else spread
    module.load_state_dict(state)
    return module.double().eval()


@pytest.mark.parametrize("name", KEYS)
def test_the_tensors_have_the_names_of_the_published_weights(name):
    assert set(shapes(empty(name).state_dict())) == KEYS[name]


@pytest.mark.parametrize(("name", "count"), PARAMETERS.items())
def test_there_are_as_many_parameters_as_published(name, count):
    assert sum(one.numel() for one in empty(name).parameters()) == count


def norm(tensors, name, values):
    mean, variance = tensors[f"{name}.running_mean"], tensors[f"{name}.running_var"]
    return functional.batch_norm(values, mean, variance, tensors[f"{name}.weight"], tensors[f"{name}.bias"])


def test_a_wide_resnet_computes_what_its_published_names_say():
    network = drawn(wide_resnet(16, 2))
    t, values = network.state_dict(), torch.rand(2, 3, 32, 32, dtype=torch.float64)
    expected = functional.conv2d(values, t["conv1.weight"], padding=1)
    for group in (1, 2, 3):
        for layer in range(2):
            place = f"block{group}.layer.{layer}"
            stride = 2 if group > 1 and layer == 0 else 1
            active = norm(t, f"{place}.bn1", expected).relu()
            inner = functional.conv2d(active, t[f"{place}.conv1.weight"], stride=stride, padding=1)
            inner = norm(t, f"{place}.bn2", inner).relu()
            kept = (
                functional.conv2d(active, t[f"{place}.convShortcut.weight"], stride=stride) if not layer else expected
            )
            expected = kept + functional.conv2d(inner, t[f"{place}.conv2.weight"], padding=1)
    pooled = functional.avg_pool2d(norm(t, "bn1", expected).relu(), 8).flatten(1)
    torch.testing.assert_close(network(values), pooled @ t["fc.weight"].T + t["fc.bias"])


def test_a_cifar_resnet_computes_what_its_published_names_say():
    network = drawn(cifar_resnet(20))
    t, values = network.state_dict(), torch.rand(2, 3, 32, 32, dtype=torch.float64)
    expected = norm(t, "bn1", functional.conv2d(values, t["conv1.weight"], padding=1)).relu()
    for stage in (1, 2, 3):
        for block in range(3):
            place, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            inner = functional.conv2d(expected, t[f"{place}.conv1.weight"], stride=stride, padding=1)
            inner = functional.conv2d(norm(t, f"{place}.bn1", inner).relu(), t[f"{place}.conv2.weight"], padding=1)
            if stride == 2:
                nothing = torch.zeros_like(expected[:, ::2, ::2, ::2])
                expected = torch.cat([nothing, expected[:, :, ::2, ::2], nothing], 1)
            expected = (expected + norm(t, f"{place}.bn2", inner)).relu()
    torch.testing.assert_close(network(values), expected.mean((2, 3)) @ t["linear.weight"].T + t["linear.bias"])


def test_a_bottleneck_resnet_computes_what_its_published_names_say():
    network = drawn(resnet(50))
    t, values = network.state_dict(), torch.rand(1, 3, 64, 64, dtype=torch.float64)
    expected = norm(t, "bn1", functional.conv2d(values, t["conv1.weight"], stride=2, padding=3)).relu()
    expected = functional.max_pool2d(expected, 3, stride=2, padding=1)
    for stage, count in enumerate((3, 4, 6, 3), 1):
        for block in range(count):
            place, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            inner = norm(t, f"{place}.bn1", functional.conv2d(expected, t[f"{place}.conv1.weight"])).relu()
            inner = functional.conv2d(inner, t[f"{place}.conv2.weight"], stride=stride, padding=1)
            inner = functional.conv2d(norm(t, f"{place}.bn2", inner).relu(), t[f"{place}.conv3.weight"])
            if block == 0:
                weight = t[f"{place}.downsample.0.weight"]
                expected = norm(t, f"{place}.downsample.1", functional.conv2d(expected, weight, stride=stride))
            expected = (expected + norm(t, f"{place}.bn3", inner)).relu()
    torch.testing.assert_close(network(values), expected.mean((2, 3)) @ t["fc.weight"].T + t["fc.bias"])


@pytest.mark.parametrize("name", ["cifar-resnet-20", "wide", "resnet-18", "resnet4b", "cnn-a", "magnet-mnist"])
def test_products_go_through_both_ways(name):
    network = drawn(wide_resnet(10, 1) if name == "wide" else PUBLISHED[name]())
    images = torch.rand(1, *((1, 28, 28) if name == "magnet-mnist" else (3, 32, 32)), dtype=torch.float64)
    tangents = torch.rand(2, *images.shape, dtype=torch.float64)
    logits, pull = vjp(network, images)
    cotangents = torch.rand(2, *logits.shape, dtype=torch.float64)
    pushed = vmap(lambda tangent: jvp(network, (images,), (tangent,))[1])(tangents)
    (pulled,) = vmap(pull)(cotangents)
    torch.testing.assert_close((cotangents * pushed).sum(), (pulled * tangents).sum())


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: cifar_resnet(21), "depth of 6n \\+ 2 layers.*got 21"),
        (lambda: wide_resnet(27, 10), "depth of 6n \\+ 4 layers.*got 27"),
        (lambda: resnet(19), "depths .18, 34, 50, 101, 152.; got 19"),
    ],
)
def test_a_depth_that_no_network_has_is_refused(build, words):
    with pytest.raises(ValueError, match=words):
        build()


def test_every_normalisation_is_of_a_published_architecture():
    assert set(NORMALISATIONS) < set(PUBLISHED)
    assert set(PUBLISHED) - set(NORMALISATIONS) == {"cnn-a"}, "whose published weights do not agree"


def test_misfits_are_named_in_one_sentence():
    network = cifar_resnet(20)
    tensors = network.state_dict()
    del tensors["bn1.weight"]
    tensors |= {"stranger": torch.zeros(1), "linear.weight": torch.zeros(100, 64), "linear.bias": torch.zeros(100)}
    with pytest.raises(ValueError, match="stranger") as raised:
        fit(network, tensors, "this file")
    said = str(raised.value)
    assert "1 missing: bn1.weight; 1 unexpected: stranger; 2 of another shape: linear.bias (100,) for (10,)" in said
    assert len(said.splitlines()) == 1


def test_weights_without_counters_of_batches_fit():
    network = cifar_resnet(20)
    bare = {name: value for name, value in network.state_dict().items() if "num_batches" not in name}
    assert len(bare) == len(KEYS["cifar-resnet-20"])
    assert fit(cifar_resnet(20), bare, "this file").state_dict().keys() == network.state_dict().keys()
