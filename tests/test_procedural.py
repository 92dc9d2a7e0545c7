import pytest
import torch

from purigeom.catalog import IMAGES, PROCEDURAL_UNET
from purigeom.images import checked
from purigeom.noise import Noise
from purigeom.procedural import KINDS, Procedural
from purigeom.purifiers.gaussian import GaussianBlur


def test_an_image_is_a_function_of_its_id_alone() -> None:
    together, alone = Procedural(count=12).load(), Procedural(count=1, start=7).load()
    assert torch.equal(together.images[7:8], alone.images)
    assert torch.equal(together.labels[7:8], alone.labels)
    assert Procedural(count=12).content() == Procedural(count=12).content()


def test_a_slice_keeps_the_ids() -> None:
    whole, part = Procedural(count=30), Procedural(count=30)[10:20][2:5]
    assert part == Procedural(count=3, start=12)
    assert part.load().image_ids == whole.load().image_ids[12:15] == (12, 13, 14)
    assert torch.equal(part.load().images, whole.load().images[12:15])
    assert len(part) == 3
    assert part.content() != whole[:3].content()


def test_an_empty_slice_holds_no_images() -> None:
    empty = Procedural()[5:2].load()
    assert empty.image_ids == ()
    assert empty.images.shape == (0, 3, 16, 16)


def test_images_lie_in_range_and_fill_it() -> None:
    batch = checked(Procedural(count=256).load())
    assert batch.images.shape == (256, 3, 16, 16)
    assert batch.images.dtype == torch.float32
    assert batch.images.min() < 0.05
    assert batch.images.max() > 0.95
    assert torch.equal((batch.images * 255).round() / 255, batch.images)
    assert set(batch.labels.tolist()) == set(range(len(KINDS)))


def test_train_and_test_share_no_image() -> None:
    train, test = (Procedural(count=200, split=split).load().images.flatten(1) for split in ("train", "test"))
    assert torch.cdist(train, test).min() > 1


def test_no_image_comes_twice() -> None:
    images = Procedural(count=200).load().images.flatten(1)
    apart = torch.cdist(images, images) + 100 * torch.eye(len(images))
    assert apart.min() > 1


def test_images_have_few_directions_and_sharp_edges() -> None:
    images = Procedural(count=2000).load().images
    spread = torch.linalg.svdvals((images - images.mean(0)).flatten(1).double()) ** 2
    assert spread[:100].sum() > 0.95 * spread.sum()
    steps = images.diff(dim=3).abs().amax((1, 2, 3))
    assert (steps > 0.2).float().mean() > 0.5


def test_another_size_shows_the_same_pictures() -> None:
    small, large = (Procedural(count=32, size=size).load() for size in (16, 64))
    assert torch.equal(small.labels, large.labels)
    averaged = torch.nn.functional.avg_pool2d(large.images, 4)
    assert (averaged - small.images).abs().mean() < 0.02


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"split": "other"}, "must be one of .*got 'other'"),
        ({"count": -1}, "got count=-1, start=0, size=16"),
        ({"start": -4}, "got count=64, start=-4, size=16"),
        ({"size": 0}, "got count=64, start=0, size=0"),
    ],
)
def test_wrong_questions_are_named(asked, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        Procedural(**asked)


@pytest.mark.parametrize("level", [20, 50, 100, 200])
def test_the_shipped_network_denoises_better_than_the_best_blur(level) -> None:
    batch = IMAGES["procedural"].load()
    normal = Noise(1, batch.image_ids, ("test",)).normal_like(batch.images)
    signal = PROCEDURAL_UNET.alpha_bars()[level].float()
    noisy = signal.sqrt() * (2 * batch.images - 1) + (1 - signal).sqrt() * normal
    with torch.no_grad():
        predicted = PROCEDURAL_UNET.module(torch.device("cpu"), torch.float32)(noisy, level).sample
    assert (predicted - normal).square().mean() < 0.5  # predicting no noise scores 1

    def error(images: torch.Tensor) -> float:
        return (images - batch.images).square().mean().item()

    rescaled = noisy / signal.sqrt() / 2 + 0.5
    denoised = rescaled - ((1 - signal) / signal).sqrt() * predicted / 2
    noise, shape = Noise(0, batch.image_ids), (3, 16, 16)
    blurs = [GaussianBlur(sigma=sigma, width=9).pin(noise, shape) for sigma in (0.5, 0.7, 1.0, 1.5, 2.0)]
    assert error(denoised) < min(error(blur(rescaled)) for blur in blurs)
