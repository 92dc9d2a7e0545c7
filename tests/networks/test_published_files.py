"""What the files of published networks may and must hold."""

import pickle
import shutil

import pytest
import torch
from safetensors.torch import save_file
from torch.func import jvp, vmap

from purigeom.identity import recipe
from purigeom.networks.diffusion.score_sde import ScoreSDE
from purigeom.purifiers.diffusion.ddim import OneShot
from tests.networks.published import KINDS, saved, tiny_tensors, waves

CPU = torch.device("cpu")
TINY = KINDS["score-SDE"].tiny
of_every_kind = pytest.mark.parametrize("name", KINDS)


def noise(network):
    return network.module(CPU, torch.float32)(waves(8).float(), 3).sample


class Trap:
    def __reduce__(self):
        return pytest.fail, ("pickled code ran",)


@of_every_kind
@pytest.mark.parametrize("ending", [".pt", ".pth", ".pkl", ".safetensors"])
def test_pickled_code_is_refused_and_never_run(name, ending, tmp_path) -> None:
    file = tmp_path / f"trap{ending}"
    file.write_bytes(pickle.dumps({"ema": Trap()}))
    network = KINDS[name].description(file, KINDS[name].tiny)
    with pytest.raises(ValueError, match=r"trap.* must hold tensors only.*Pickled code is never run"):
        noise(network)


def test_pickled_code_beside_tensors_is_refused_and_never_run(tmp_path) -> None:
    torch.save({**tiny_tensors("score-SDE"), "config": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(ValueError, match="must hold tensors only"):
        noise(ScoreSDE(tmp_path / "trap.pth", TINY))


@of_every_kind
def test_torch_s_own_format_and_safetensors_load_alike(name, tmp_path) -> None:
    network = saved(name, tmp_path)
    for zipped in (True, False):
        torch.save(tiny_tensors(name), tmp_path / f"{zipped}.pt", _use_new_zipfile_serialization=zipped)
        other = type(network)(str(tmp_path / f"{zipped}.pt"), network.architecture)
        assert torch.equal(noise(other), noise(network))


@of_every_kind
def test_a_damaged_file_is_named(name, tmp_path) -> None:
    network = saved(name, tmp_path)
    file = tmp_path / "tiny.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"tiny.safetensors must hold tensors only.*fetch it again"):
        noise(network)


@of_every_kind
def test_tensors_that_do_not_fit_are_named(name, tmp_path) -> None:
    network = saved(name, tmp_path)
    tensors = tiny_tensors(name)
    first, second, *_ = tensors
    del tensors[first]
    tensors[second] = torch.zeros(7)
    tensors["label_emb.weight"] = torch.zeros(10, 64)
    save_file(tensors, tmp_path / "tiny.safetensors")
    faults = rf"it lacks {first}; it has besides label_emb.weight; it has other shapes {second} is \(7,\) instead of"
    with pytest.raises(ValueError, match=f"must hold exactly the tensors of its architecture, but {faults}"):
        noise(network)


def test_a_network_of_other_sizes_is_named_in_few_words(tmp_path) -> None:
    saved("score-SDE", tmp_path)
    with pytest.raises(ValueError, match=r"it lacks .* and \d+ more.*Give the Architecture\(size=32") as raised:
        noise(ScoreSDE(tmp_path / "tiny.safetensors"))
    assert len(str(raised.value)) < 1200


def test_a_network_of_the_variance_exploding_sde_is_refused(tmp_path) -> None:
    tensors = {"all_modules.0.W": torch.zeros(16), **tiny_tensors("score-SDE")}
    save_file(tensors, tmp_path / "ve.safetensors")
    with pytest.raises(ValueError, match=r"has besides all_modules.0.W.*not networks of the VE-SDE"):
        noise(ScoreSDE(tmp_path / "ve.safetensors", TINY))


def test_what_is_no_tensor_is_named(tmp_path) -> None:
    torch.save({**tiny_tensors("score-SDE"), "step": 3}, tmp_path / "step.pt")
    with pytest.raises(ValueError, match="must hold tensors by name; 'step' is a int"):
        noise(ScoreSDE(tmp_path / "step.pt", TINY))
    torch.save([torch.zeros(1)], tmp_path / "list.pt")
    with pytest.raises(ValueError, match="must hold tensors by name; it holds a list"):
        noise(ScoreSDE(tmp_path / "list.pt", TINY))


def training_checkpoint(averages) -> dict:
    """Return what a training run of score_sde_pytorch saves, its optimiser's state cut short."""
    parameters = {f"module.{name}": torch.zeros_like(tensor) for name, tensor in averages.items()}
    return {
        "optimizer": {"state": {0: {"step": 1, "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 2e-4}]},
        "model": {"module.sigmas": torch.zeros(1000), **parameters},
        "ema": {"decay": 0.9999, "num_updates": 5, "shadow_params": list(averages.values())},
        "step": 400_000,
    }


def test_of_a_training_checkpoint_the_averages_are_taken_in_the_order_of_parameters(tmp_path) -> None:
    torch.save(training_checkpoint(tiny_tensors("score-SDE")), tmp_path / "checkpoint_8.pth")
    averaged = ScoreSDE(tmp_path / "checkpoint_8.pth", TINY)
    assert torch.equal(noise(averaged), noise(saved("score-SDE", tmp_path)))


def test_averages_that_are_too_few_are_counted(tmp_path) -> None:
    checkpoint = training_checkpoint(tiny_tensors("score-SDE"))
    checkpoint["ema"]["shadow_params"].pop()
    torch.save(checkpoint, tmp_path / "checkpoint_8.pth")
    with pytest.raises(ValueError, match="one average for each of its 208 parameters; it holds 207"):
        noise(ScoreSDE(tmp_path / "checkpoint_8.pth", TINY))


@of_every_kind
def test_weights_kept_in_half_precision_are_computed_with_in_the_images_type(name, tmp_path) -> None:
    network = saved(name, tmp_path)
    whole = noise(network)
    halves = {key: tensor.half() for key, tensor in tiny_tensors(name).items()}
    save_file(halves, tmp_path / "tiny.safetensors")
    predicted = noise(network)
    assert predicted.dtype == torch.float32
    gap = (predicted - whole).norm() / whole.norm()
    assert 0 < gap < 0.01


@of_every_kind
def test_images_of_another_shape_are_refused(name, tmp_path) -> None:
    network = saved(name, tmp_path)
    network.check((3, 8, 8))
    for shape in ((3, 32, 32), (1, 8, 8)):
        with pytest.raises(ValueError, match=r"takes 3 channels of size 8x8; got images of shape"):
            network.check(shape)


@of_every_kind
def test_new_weights_under_an_old_name_are_noticed(name, tmp_path) -> None:
    network = saved(name, tmp_path)
    before, answer = network.content(), noise(network)
    save_file({key: 0.9 * tensor for key, tensor in tiny_tensors(name).items()}, tmp_path / "tiny.safetensors")
    assert network.content() != before
    assert not torch.equal(noise(network), answer)


@of_every_kind
def test_a_file_may_be_moved_and_its_answers_are_found_again(name, tmp_path) -> None:
    network = saved(name, tmp_path / "here")
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    moved = type(network)(tmp_path / "there" / "tiny.safetensors", network.architecture)
    one, other = (recipe(OneShot(purified, depth=10)) for purified in (network, moved))
    assert one == other
    assert "here" not in str(one)
    assert "tiny.safetensors" in one["description"]


def test_the_name_of_a_folder_finds_the_one_file_in_it(tmp_path) -> None:
    network = saved("EDM", tmp_path)
    assert torch.equal(noise(type(network)(tmp_path, network.architecture)), noise(network))
    (tmp_path / "other.pt").touch()
    with pytest.raises(FileNotFoundError, match=r"must hold one file.*holds \['other.pt', 'tiny.safetensors'\]"):
        noise(type(network)(tmp_path, network.architecture))


def test_a_web_page_saved_in_the_weights_place_is_named(tmp_path) -> None:
    (tmp_path / "checkpoint_8.pth").write_text("<!DOCTYPE html><title>Quota exceeded</title>")
    with pytest.raises(ValueError, match=r"checkpoint_8\.pth must hold weights; it is a web page"):
        noise(ScoreSDE(tmp_path / "checkpoint_8.pth", TINY))


def test_a_missing_file_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere.pth was not found"):
        ScoreSDE("weights/nowhere.pth").content()


def test_a_network_loads_even_inside_a_transform(tmp_path) -> None:
    network = saved("EDM", tmp_path)

    def predicted(states):
        return network.module(states.device, states.dtype)(states, 3).sample

    assert vmap(lambda states: jvp(predicted, (states,), (states,))[1])(waves(8)[None]).shape == (1, 2, 3, 8, 8)


def test_weights_in_use_do_not_change_with_their_file(tmp_path) -> None:
    """A file may be read as memory: what is computed with is a copy of it."""
    torch.save(tiny_tensors("score-SDE"), tmp_path / "tiny.pt")
    module = ScoreSDE(tmp_path / "tiny.pt", TINY).module(CPU, torch.float32)
    before = module(waves(8).float(), 3).sample
    with (tmp_path / "tiny.pt").open("r+b") as file:
        file.write(bytes(1) * (tmp_path / "tiny.pt").stat().st_size)
    assert torch.equal(module(waves(8).float(), 3).sample, before)
