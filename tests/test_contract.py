"""Strangers' purifiers that break a law, each told which."""

from dataclasses import dataclass, replace

import pytest
import torch

from purigeom.contract import Checked, verify
from purigeom.geometry.chain import Chain
from purigeom.noise import Noise
from purigeom.protocols import Batch, Declaration
from purigeom.purifiers.wrapped import wrap

BATCH = Batch(torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0)), None, (5, 7, 9))
NOISE = Noise(0, BATCH.image_ids)


def broken(function, message):
    with pytest.raises(ValueError, match=message):
        verify(wrap(function, name="stranger"), BATCH, NOISE)


def test_a_lawful_stranger_passes() -> None:
    verify(wrap(lambda images, noise: images + 0.1 * noise, name="smoothing"), BATCH, NOISE)


def test_a_changed_shape_is_named() -> None:
    broken(lambda images: images[:, :, ::2], r"must keep the shape of images; it made \(3, 1, 2, 4\)")


def test_hidden_randomness_is_named() -> None:
    broken(lambda images: images + torch.rand_like(images), "hides randomness")


def test_changing_the_input_in_place_is_named() -> None:
    broken(lambda images: images.clamp_(0.3, 0.6), "changes its input in place")


def test_an_exception_inside_names_the_purifier_and_its_images() -> None:
    def failing(images):
        return images[99]

    with pytest.raises(RuntimeError, match=r"name='failing'.* raised IndexError on images \[5, 7, 9\]"):
        verify(wrap(failing, name="failing"), BATCH, NOISE)


def test_an_answer_that_is_no_tensor_is_named() -> None:
    with pytest.raises(TypeError, match="must return a tensor of images; it returned tuple"):
        verify(wrap(lambda images: (images,), name="pair"), BATCH, NOISE)


def test_state_from_call_to_call_is_named() -> None:
    @dataclass(frozen=True)
    class Counting:
        def pin(self, noise, image_shape):
            calls = iter(range(100))
            return lambda images: images + next(calls)

    with pytest.raises(ValueError, match="changes from call to call"):
        verify(Counting(), BATCH, NOISE)


def test_coupling_through_the_batch_is_named() -> None:
    broken(lambda images: images - images.mean(), "couples images of a batch: image 5 depends on its company")


def test_coupling_shows_even_in_a_batch_of_one() -> None:
    with pytest.raises(ValueError, match="couples images of a batch"):
        verify(wrap(lambda images: images - images.mean(), name="mean"), BATCH[:1], NOISE[:1])


def test_noise_by_place_instead_of_image_is_named() -> None:
    @dataclass(frozen=True)
    class ByPlace:
        def pin(self, noise, image_shape):
            generator = torch.Generator()
            return lambda images: images + torch.rand(images.shape, generator=generator.manual_seed(noise.seed))

    with pytest.raises(ValueError, match="image 7 depends on its company"):
        verify(ByPlace(), BATCH, NOISE)


def test_a_broken_promise_of_range_is_named() -> None:
    @dataclass(frozen=True)
    class Doubling:
        declaration = Declaration("doubling", range="clamped")

        def pin(self, noise, image_shape):
            return lambda images: 2 * images

    with pytest.raises(ValueError, match="declares the range clamped"):
        verify(Doubling(), BATCH, NOISE)


def test_an_image_is_not_blamed_for_its_negative() -> None:
    dark = replace(BATCH, images=0.2 * BATCH.images)
    verify(wrap(lambda images: images / (images.mean((1, 2, 3), keepdim=True) < 0.5), name="dark alone"), dark, NOISE)


def test_nan_names_the_image_and_the_step() -> None:
    @dataclass(frozen=True)
    class Exploding:
        def pin(self, noise, image_shape):
            poison = torch.tensor([0.0, float("nan"), 0.0])[:, None, None, None]
            return Chain((lambda state: state, lambda state: state + poison, lambda state: state * 2))

    with pytest.raises(ValueError, match=r"first in step 2 of 3, NaN or infinity for image 7"):
        Checked(Exploding()).pin(NOISE, (1, 4, 4))(BATCH.images)


def test_nan_on_the_way_in_names_the_image() -> None:
    images = BATCH.images.clone()
    images[2, 0, 1, 1] = float("nan")
    with pytest.raises(ValueError, match="was given NaN or infinity for image 9"):
        Checked(wrap(lambda images: images, name="same")).pin(NOISE, (1, 4, 4))(images)
