import pickle
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.func import jvp, vjp, vmap

from purigeom.networks.unet import UNet
from tests.checkpoints import module, saved

IMAGES = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
CPU = torch.device("cpu")


def test_a_pipeline_folder_and_a_bare_folder_load_alike(tmp_path) -> None:
    pipeline = saved(tmp_path / "pipeline")
    module().save_pretrained(tmp_path / "bare")
    bare = UNet(str(tmp_path / "bare"))
    one, other = (network.module(CPU, torch.float32)(IMAGES.float(), 3).sample for network in (pipeline, bare))
    assert torch.equal(one, other)


def test_torch_s_own_weights_load_when_they_are_tensors_only(tmp_path) -> None:
    module().save_pretrained(tmp_path, safe_serialization=False)
    assert (tmp_path / "diffusion_pytorch_model.bin").is_file()
    assert UNet(str(tmp_path)).module(CPU, torch.float32)(IMAGES.float(), 3).sample.shape == IMAGES.shape


def test_pickled_code_is_refused(tmp_path) -> None:
    module().save_pretrained(tmp_path, safe_serialization=False)

    class Trap:
        def __reduce__(self):
            return pytest.fail, ("pickled code ran",)

    (tmp_path / "diffusion_pytorch_model.bin").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match="must hold tensors only"):
        UNet(str(tmp_path)).module(CPU, torch.float32)


def test_plain_attention_changes_nothing_but_the_last_digits(tmp_path) -> None:
    network = saved(tmp_path)
    plain = network.module(CPU, torch.float64)(IMAGES, 3).sample
    theirs = module().double().eval()(IMAGES, 3).sample
    torch.testing.assert_close(plain, theirs)


def test_products_go_through_attention_both_ways(tmp_path) -> None:
    predict = saved(tmp_path).module(CPU, torch.float64)
    tangents, cotangents = torch.rand(2, 3, *IMAGES.shape, dtype=torch.float64)

    def predicted(images):
        return predict(images, 3).sample

    pushed = vmap(lambda tangent: jvp(predicted, (IMAGES,), (tangent,))[1])(tangents)
    (pulled,) = vmap(vjp(predicted, IMAGES)[1])(cotangents)
    torch.testing.assert_close((cotangents * pushed).sum(), (pulled * tangents).sum())


def test_a_network_loads_even_inside_a_transform(tmp_path) -> None:
    network = saved(tmp_path)

    def predicted(images):
        return network.module(images.device, images.dtype)(images, 3).sample

    assert vmap(lambda images: jvp(predicted, (IMAGES,), (images,))[1])(IMAGES[None]).shape == (1, *IMAGES.shape)


@pytest.mark.parametrize(
    ("checkpoint", "message"),
    [("./nowhere", "no local folder and no hub id"), ("nobody/nothing", "not in the hub's local cache")],
)
def test_a_missing_checkpoint_says_where_it_was_looked_for(checkpoint, message, monkeypatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(FileNotFoundError, match=message):
        UNet(checkpoint).content()


def test_a_hub_id_is_found_in_the_local_cache(tmp_path, monkeypatch) -> None:
    cache = tmp_path / "models--someone--tiny"
    snapshot = cache / "snapshots" / ("0" * 40)
    saved(snapshot)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("0" * 40)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert UNet("someone/tiny").config()["sample_size"] == 8


def test_a_corrupt_checkpoint_is_named(tmp_path) -> None:
    saved(tmp_path)
    weights = tmp_path / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"could not be loaded from .*safetensors"):
        UNet(str(tmp_path)).module(CPU, torch.float32)


def test_a_damaged_config_is_named(tmp_path) -> None:
    saved(tmp_path)
    (tmp_path / "unet" / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json must be JSON"):
        UNet(str(tmp_path)).config()


def test_a_folder_without_a_unet_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"holds no config\.json"):
        UNet(str(tmp_path)).config()


def test_a_folder_without_weights_is_refused(tmp_path) -> None:
    saved(tmp_path)
    (tmp_path / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="must hold one file of weights"):
        UNet(str(tmp_path)).content()


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 16, 16)])
def test_images_of_another_shape_are_refused(shape, tmp_path) -> None:
    with pytest.raises(ValueError, match=r"1 channels of size 8x8; got images of shape"):
        saved(tmp_path).check(shape)


def test_a_missing_tensor_is_not_made_up(tmp_path) -> None:
    network = saved(tmp_path)
    weights = tmp_path / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    del tensors["conv_in.weight"]
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"exactly the tensors that config.json asks for.*conv_in"):
        network.module(CPU, torch.float32)


def test_a_class_conditional_network_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="must be unconditional"):
        saved(tmp_path, num_class_embeds=10).check((1, 8, 8))


def test_a_schedule_that_changed_is_read_anew(tmp_path) -> None:
    network = saved(tmp_path)
    before = network.alpha_bars()
    file = tmp_path / "scheduler" / "scheduler_config.json"
    file.write_text(file.read_text().replace("0.02", "0.01"))
    assert (network.alpha_bars()[1:] > before[1:]).all()


def test_learned_variances_are_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="returns 2 channels"):
        saved(tmp_path, out_channels=2).check((1, 8, 8))


def test_the_schedule_is_the_checkpoint_s(tmp_path) -> None:
    cosine = saved(tmp_path / "cosine", {"beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 100})
    assert len(cosine.alpha_bars()) == 100
    linear = saved(tmp_path / "linear").alpha_bars()
    expected = torch.cumprod(1 - torch.linspace(1e-4, 2e-2, 1000), 0)
    torch.testing.assert_close(linear.float(), expected, rtol=1e-5, atol=0)


def test_a_network_that_does_not_predict_noise_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="prediction_type 'epsilon'"):
        saved(tmp_path, {"prediction_type": "v_prediction"}).alpha_bars()


def test_new_weights_under_an_old_name_are_noticed(tmp_path) -> None:
    network = saved(tmp_path / "one")
    before, answer = network.content(), network.module(CPU, torch.float32)(IMAGES.float(), 3).sample
    shutil.rmtree(tmp_path / "one")
    saved(tmp_path / "one", block_out_channels=(8, 16))
    assert network.content() != before
    assert not torch.equal(network.module(CPU, torch.float32)(IMAGES.float(), 3).sample, answer)
