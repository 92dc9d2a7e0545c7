"""Every reason why an attack by gradients says nothing is detected and called by its name, and nothing else is."""

import random
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from purigeom.catalog import BASELINES, CLASSIFIERS, DIGITS_DIFFUSION
from purigeom.defence.defended import Defended
from purigeom.defence.diagnosis import diagnosed
from purigeom.defence.watch import generators_moved, gradients_turned_on
from purigeom.images import Digits
from purigeom.noise import Noise
from purigeom.purifiers.wrapped import wrap

DIGITS = Digits()[:4].load()
NOISE = Noise(0, DIGITS.image_ids)
GENERATOR = torch.Generator().manual_seed(0)
KNOWN = {**BASELINES, **DIGITS_DIFFUSION}


def diagnosis(purifier, classifier=CLASSIFIERS["digits"]):
    return diagnosed(Defended(purifier, classifier), DIGITS, NOISE, 8 / 255)


def noisy_where_differentiated(images):
    return images + 0.1 * torch.randn_like(images) if images.requires_grad else 1 * images


def only_fault(found, name):
    assert [fault.split(":")[0] for fault in found.faults] == [name]
    return found.faults[0]


@pytest.mark.parametrize("name", [name for name in KNOWN if name != "bit-depth"])
def test_an_honest_defence_is_cleared(name) -> None:
    found = diagnosis(KNOWN[name])
    assert found.faults == ()
    torch.testing.assert_close(found.followed, torch.ones(4, dtype=torch.float64), rtol=0, atol=0.1)


@pytest.mark.parametrize(
    ("body", "source"),
    [
        (lambda images: images + 0.1 * torch.randn_like(images), "it draws from torch's global generator"),
        (lambda images: images + 0.1 * np.random.random(), "it draws from numpy's global generator"),
        (lambda images: images + 0.1 * random.random(), "it draws from Python's global generator"),
        (lambda images: images + 0.1 * torch.randn(1, generator=GENERATOR), "it keeps a generator of its own"),
        (lambda images: images + 0 * torch.randn_like(images), "it draws from torch's global generator"),
        (noisy_where_differentiated, "it draws from torch's global generator"),
    ],
    ids=["torch", "numpy", "python", "own", "unused", "differentiated"],
)
def test_hidden_randomness_is_detected_and_named(body, source) -> None:
    found = diagnosis(wrap(body, name="hiding"))
    assert found.hidden.all()
    assert source in only_fault(found, "Hidden randomness")
    assert found.followed.isnan().all()


def test_randomness_hidden_in_the_classifier_is_found_too() -> None:
    classify = CLASSIFIERS["digits"].load()
    noisy = wrap(lambda images: classify(images + 0.1 * torch.randn_like(images)), name="noisy")
    only_fault(diagnosis(BASELINES["identity"], noisy), "Hidden randomness")


@dataclass(frozen=True)
class Anti:
    """Anti-adversary's kind (Alfarra et al. 2022): climb the classifier's confidence before it is asked."""

    steps: int = 2

    def pin(self, noise, image_shape):
        classify = CLASSIFIERS["digits"].load()

        def purify(images):
            shift = torch.zeros_like(images, requires_grad=True)
            for _ in range(self.steps):
                with torch.enable_grad():
                    logits = classify(images.detach() + shift)
                    (gradient,) = torch.autograd.grad(logits.amax(1).sum(), shift)
                shift = (shift + 0.05 * gradient.sign()).detach().requires_grad_()
            return images + shift.detach()

        return purify


def through_vjp(images):
    _, pull = torch.func.vjp(lambda state: state.square().sum(), images.detach())
    return images - 0.1 * pull(torch.ones((), dtype=images.dtype))[0]


@pytest.mark.parametrize("purifier", [Anti(), wrap(through_vjp, name="through vjp")], ids=["autograd", "vjp"])
def test_test_time_optimisation_is_detected_and_named(purifier) -> None:
    found = diagnosis(purifier)
    assert found.optimised.all()
    assert any("Test-time optimisation" in fault and "with gradients turned on" in fault for fault in found.faults)


def test_a_gradient_that_the_margin_does_not_follow_is_called_shattered() -> None:
    def straight_through(images):
        return images + (torch.round(8 * images) / 8 - images).detach()

    found = diagnosis(wrap(straight_through, name="straight through"))
    assert "for 4 of 4 images" in only_fault(found, "Shattered gradients")


def test_a_gradient_of_another_map_is_called_shattered() -> None:
    only_fault(
        diagnosis(wrap(lambda images: (0.5 * images).detach() + 2 * (images - images.detach()), name="steep")),
        "Shattered gradients",
    )


@pytest.mark.parametrize("purifier", [BASELINES["bit-depth"], wrap(lambda images: images.detach(), name="cut")])
def test_a_missing_gradient_is_called_masked(purifier) -> None:
    found = diagnosis(purifier)
    assert found.masked.any()
    assert only_fault(found, "Masked gradients")
    assert found.followed.isnan().all()


def test_a_flat_defence_masks_nothing() -> None:
    found = diagnosis(wrap(lambda images: 0 * images, name="black"))
    assert found.faults == ()
    assert not found.masked.any()


def test_watching_changes_no_generator() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert generators_moved(lambda: torch.ones(2)) == ()
    assert gradients_turned_on(lambda: torch.ones(2) + 1) == ""
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(("height", "frequency"), [(0.002, 3000.0), (0.02, 1000.0), (0.05, 300.0)])
def test_gradients_that_are_right_and_useless_a_step_away_are_shattered(height, frequency) -> None:
    waves = wrap(lambda images: images + height * torch.sin(frequency * images), name="waves")
    found = diagnosis(waves)
    assert "of 4 images" in only_fault(found, "Shattered gradients")
    assert (found.reached.abs() < 0.15).all()
    assert (diagnosis(BASELINES["identity"]).reached > 0.8).all()


@pytest.mark.parametrize("kept", [4, 32], ids=["most", "half"])
def test_a_gradient_that_is_a_true_part_of_the_whole_is_called_cut(kept) -> None:
    pixels = torch.arange(64).reshape(1, 8, 8) % 64 < kept

    def cut(images):
        return images.where(pixels, images.detach())

    found = diagnosis(wrap(cut, name="cut"))
    assert "for 4 of 4 images" in only_fault(found, "Cut gradients")
    assert (found.missed > 0.3).all()
