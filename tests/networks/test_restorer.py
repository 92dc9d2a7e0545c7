"""Claims about every network that returns images for images: how it is named, found, refused and loaded."""

import json
import shutil

import pytest
import torch
from torch.func import jvp, vjp, vmap

from purigeom.networks.files import weights_file
from purigeom.networks.trained import Restorer
from tests.networks.small import KINDS, built, kept

CPU = torch.device("cpu")
IMAGES = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
pytestmark = pytest.mark.parametrize("kind", KINDS)


def test_it_is_a_restorer_of_its_kind(kind, tmp_path) -> None:
    who = kept(tmp_path, kind)
    assert isinstance(who, Restorer)
    assert who.family == kind


def test_it_loads_what_was_saved_and_half_floats_as_floats(kind, tmp_path) -> None:
    whole, half = kept(tmp_path / "whole", kind), kept(tmp_path / "half", kind, half=True)
    expected = built(kind).eval()(IMAGES.float())
    found = whole.module(CPU, torch.float32)
    assert not found.training
    assert torch.equal(found(IMAGES.float()), expected)
    halved = half.module(CPU, torch.float32)
    assert {weight.dtype for weight in halved.parameters()} == {torch.float32}
    torch.testing.assert_close(halved(IMAGES.float()), expected, rtol=0, atol=1e-2)
    assert whole.content() != half.content()


def test_other_settings_are_another_network(kind, tmp_path) -> None:
    one, other = kept(tmp_path / "one", kind), kept(tmp_path / "other", kind)
    (tmp_path / "other" / "config.json").write_text(json.dumps({**KINDS[kind][2], "size": 16}))
    assert one.content() != other.content()


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 16, 16), (1, 8, 16)])
def test_images_of_another_shape_are_refused_by_name(kind, shape, tmp_path) -> None:
    who = kept(tmp_path, kind)
    with pytest.raises(ValueError, match=rf"{type(who).__name__}\('.*'\) takes images of shape \(1, 8, 8\); got .*Cho"):
        who.check(shape)
    who.check((1, 8, 8))


def test_a_missing_checkpoint_is_named(kind) -> None:
    with pytest.raises(FileNotFoundError, match=r"Checkpoint './nowhere' was not found"):
        KINDS[kind][0]("./nowhere").check((1, 8, 8))


def test_missing_weights_are_named(kind, tmp_path) -> None:
    who = kept(tmp_path, kind)
    weights_file(tmp_path).unlink()
    with pytest.raises(FileNotFoundError, match="must hold one file of weights"):
        who.content()


def test_missing_settings_are_named(kind, tmp_path) -> None:
    who = kept(tmp_path, kind)
    (tmp_path / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match=rf"{type(who).__name__}\('.*'\) must hold config\.json"):
        who.check((1, 8, 8))


def test_damaged_settings_are_named(kind, tmp_path) -> None:
    who = kept(tmp_path, kind)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json must be JSON; it is damaged"):
        who.check((1, 8, 8))


def test_the_settings_of_another_kind_are_refused(kind, tmp_path) -> None:
    other = next(name for name in KINDS if name != kind)
    who = kept(tmp_path / "mine", kind)
    kept(tmp_path / "theirs", other)
    shutil.copy(tmp_path / "theirs" / "config.json", tmp_path / "mine")
    with pytest.raises(ValueError, match=rf"{type(who).__name__}\('.*'\) must hold the settings of `"):
        who.module(CPU, torch.float32)


def test_the_weights_of_another_kind_are_refused(kind, tmp_path) -> None:
    other = next(name for name in KINDS if name != kind)
    who = kept(tmp_path / "mine", kind)
    kept(tmp_path / "theirs", other)
    shutil.copy(weights_file(tmp_path / "theirs"), weights_file(tmp_path / "mine"))
    with pytest.raises(ValueError, match=rf"{type(who).__name__}\('.*'\) must hold exactly the tensors"):
        who.module(CPU, torch.float32)


def test_products_go_through_both_ways(kind, tmp_path) -> None:
    network = kept(tmp_path, kind).module(CPU, torch.float64)
    tangents, cotangents = torch.rand(2, 3, *IMAGES.shape, dtype=torch.float64)
    pushed = vmap(lambda tangent: jvp(network, (IMAGES,), (tangent,))[1])(tangents)
    (pulled,) = vmap(vjp(network, IMAGES)[1])(cotangents)
    assert pushed.any()
    torch.testing.assert_close((cotangents * pushed).sum(), (pulled * tangents).sum())


def test_an_image_is_answered_alike_in_any_company(kind, tmp_path) -> None:
    network = kept(tmp_path, kind).module(CPU, torch.float64)
    torch.testing.assert_close(network(IMAGES)[:1], network(IMAGES[:1]))
