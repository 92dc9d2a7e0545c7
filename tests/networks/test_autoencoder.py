"""Claims about the autoencoder: how small its code is, and how it loads."""

import json

import pytest
import torch
from safetensors.torch import save_file
from torch.func import jvp, vjp, vmap

from purigeom.networks.autoencoder import Autoencoder, autoencoder
from purigeom.networks.files import weights_file
from purigeom.training.cifar import CODE

SMALL = {"channels": 3, "size": 8, "widths": [4, 6], "code": 5}
CPU = torch.device("cpu")


def saved(folder, **changes) -> Autoencoder:
    settings = {**SMALL, **changes}
    torch.manual_seed(0)
    folder.mkdir(exist_ok=True)
    save_file(autoencoder(**settings).state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(settings))
    return Autoencoder(str(folder))


@pytest.mark.parametrize(
    ("settings", "numbers"), [(SMALL, 5 * 4 * 4), ({**SMALL, "widths": [4, 6, 8]}, 5 * 2 * 2), (CODE, 1536)]
)
def test_an_image_passes_through_a_code_of_fewer_numbers(settings, numbers) -> None:
    sizes = []
    network = autoencoder(**settings)
    for layer in network:
        layer.register_forward_hook(lambda _, __, answer: sizes.append(answer[0].numel()))
    image = torch.rand(1, 3, settings["size"], settings["size"])
    assert network(image).shape == image.shape
    assert min(sizes) == numbers < image[0].numel()


def test_a_size_that_cannot_be_halved_so_often_is_named() -> None:
    with pytest.raises(ValueError, match="3 widths halves images 2 times; got size 6"):
        autoencoder(3, 6, (4, 6, 8), 5)


def test_it_loads_what_was_saved_and_half_floats_as_floats(tmp_path) -> None:
    who = saved(tmp_path)
    network = who.module(CPU, torch.float32)
    assert not network.training
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}
    torch.manual_seed(0)
    images = torch.rand(2, 3, 8, 8)
    torch.manual_seed(0)
    assert torch.equal(network(images), autoencoder(**SMALL)(images))
    before = who.content()
    stored = {name: weight.half() for name, weight in network.state_dict().items()}
    save_file(stored, weights_file(tmp_path))
    assert who.content() != before
    halved = who.module(CPU, torch.float32)
    assert {weight.dtype for weight in halved.parameters()} == {torch.float32}
    torch.testing.assert_close(halved(images), network(images), rtol=0, atol=1e-2)


def test_another_architecture_is_another_network(tmp_path) -> None:
    one, other = saved(tmp_path / "one"), saved(tmp_path / "other", code=6)
    assert one.content() != other.content()


def test_tensors_of_another_architecture_are_refused(tmp_path) -> None:
    who = saved(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({**SMALL, "code": 6}))
    with pytest.raises(ValueError, match=r"Autoencoder\(.*must hold exactly the tensors"):
        who.module(CPU, torch.float32)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 16, 16)])
def test_images_of_another_shape_are_named(shape, tmp_path) -> None:
    with pytest.raises(ValueError, match=r"takes images of shape \(3, 8, 8\); got .*Choose images"):
        saved(tmp_path).check(shape)


def test_products_go_through_both_ways(tmp_path) -> None:
    network = saved(tmp_path).module(CPU, torch.float64)
    images, tangents, cotangents = torch.rand(3, 2, 3, 8, 8, dtype=torch.float64)
    pushed = vmap(lambda tangent: jvp(network, (images,), (tangent,))[1])(tangents[None])
    (pulled,) = vmap(vjp(network, images)[1])(cotangents[None])
    torch.testing.assert_close((cotangents * pushed).sum(), (pulled * tangents).sum())
