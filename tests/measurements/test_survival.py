"""What survival says of randomness, of broken and missing gradients, and of what an attack has cost."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from purigeom.attacks.adversary import Adversary, told
from purigeom.attacks.fgsm import FGSM
from purigeom.attacks.mi_fgsm import MIFGSM
from purigeom.attacks.pgd import PGD
from purigeom.catalog import BASELINES, CLASSIFIERS, DIGITS_UNET
from purigeom.defence.gradients import BPDA, Withheld
from purigeom.defence.knowledge import EOT, Fixed, Fresh
from purigeom.images import Digits
from purigeom.judging import judged
from purigeom.measurements.survival import Survival
from purigeom.noise import Noise
from purigeom.purifiers.diffusion.ddim import OneShot
from purigeom.purifiers.wrapped import wrap

BATCH = Digits()[:64].load()
NOISE = Noise(0, BATCH.image_ids)
DIGITS = CLASSIFIERS["digits"]
NOISE_AND_A_WEAK_DENOISER = OneShot(DIGITS_UNET, depth=250)


def survival(attack, purifier=NOISE_AND_A_WEAK_DENOISER, images=slice(0, 64), radius=0.15, **settings):
    return Survival(DIGITS, (radius,), attack, **settings)(purifier, BATCH[images], NOISE[images])


def test_randomness_is_no_defence_once_it_is_pinned() -> None:
    """The first finding of arXiv 2505.22839: told the configuration, the same attack leaves far less."""
    attack = PGD(20, relative_step=0.2)
    pinned, guessing = (survival(Adversary(attack, knowledge)).survived.mean() for knowledge in (Fixed(), Fresh()))
    assert pinned < 0.4
    assert guessing > pinned + 0.2


def test_an_attack_on_one_configuration_transfers_badly_to_others() -> None:
    answer = survival(PGD(20, relative_step=0.2), judgements=4)
    assert answer.survived_fresh.mean() > answer.survived.mean() + 0.1


def test_costs_are_stored_with_the_verdict() -> None:
    answer = survival(Adversary(PGD(3, restarts=2), EOT(4)), images=slice(0, 4), draws=2)
    assert answer.attack.values.tolist() == ["PGD-3x2 linf, eot(4), exact"]
    np.testing.assert_array_equal(answer.gradient_calls, 2 * 3)
    np.testing.assert_array_equal(answer.purifications, 2 * 4 * 4)
    np.testing.assert_array_equal(answer.network_evaluations, 4 * (2 * 4 + 2 * 3))


def test_judging_costs_the_attack_nothing() -> None:
    few, many = (survival(PGD(2), images=slice(0, 4), judgements=count) for count in (1, 5))
    np.testing.assert_array_equal(few.purifications, many.purifications)
    np.testing.assert_array_equal(few.survived, many.survived)
    np.testing.assert_array_equal(few.survived_fresh[:, :, 0], many.survived_fresh[:, :, 0])


@dataclass(frozen=True)
class BreaksAt:
    """Have no gradient at dark images."""

    image: float

    def pin(self, noise, image_shape):
        def purify(images):
            hit = (images.detach().mean((1, 2, 3), keepdim=True) - self.image).abs() < 0.05
            return images + (images - images.detach() + (~hit).to(images)).sqrt() - (~hit).to(images)

        return purify


def test_an_image_whose_gradient_breaks_is_marked_and_the_others_are_kept() -> None:
    means = BATCH.images[:6].mean((1, 2, 3))
    answer = survival(PGD(3, random_start=False), BreaksAt(float(means[2])), slice(0, 6), radius=0.01)
    near = ((means - means[2]).abs() < 0.05 + 2 * 0.01).numpy()
    broken = answer.gradient_broken.values[0, 0, 0]
    assert broken[2]
    assert not broken[~near].any()
    assert not broken.all()
    assert not answer.gradient_vanished.values[0, 0][broken].any()


@dataclass(frozen=True)
class Dimming:
    """An attack that asks for answers alone."""

    label = "dimming"
    norm = "linf"

    def __call__(self, target, batch, noise, radius):
        dimmed = (batch.images - radius).clamp(0, 1)
        target.logits(dimmed)
        return dimmed


def test_an_attack_without_gradients_meets_a_black_box() -> None:
    rounding = wrap(lambda images: images.round(), name="rounding", differentiability="none")
    answer = survival(Adversary(Dimming(), gradient=Withheld()), rounding, slice(0, 4))
    assert not answer.gradient_vanished.any()
    np.testing.assert_array_equal(answer.purifications, 1)
    np.testing.assert_array_equal(answer.gradient_calls, 0)
    with pytest.raises(ValueError, match="differentiability 'none'"):
        survival(PGD(2), rounding, slice(0, 4))


def test_bpda_breaks_what_rounding_hides() -> None:
    exact, bpda = (
        survival(Adversary(PGD(10), gradient=mode), BASELINES["bit-depth"]) for mode in (told(PGD()).gradient, BPDA())
    )
    assert exact.gradient_vanished.mean() > 0.9
    assert not bpda.gradient_vanished.any()
    assert bpda.survived.mean() < exact.survived.mean() - 0.2


@pytest.mark.parametrize("radius", [2.0, float("nan")])
def test_radii_in_the_wrong_units_are_refused_when_the_question_is_put(radius) -> None:
    with pytest.raises(ValueError, match=r"radius|Survival\.radii"):
        Survival(DIGITS, (radius,))


def test_survival_is_stored_under_what_attacks() -> None:
    assert (
        Survival(DIGITS, (0.1,), Adversary(PGD(), EOT(5, "logits"), BPDA())).label
        == "survival-pgd-20-linf-eot-5-logits-bpda"
    )


@dataclass(frozen=True)
class BreaksFarFrom:
    """Answer NaN where an image has moved further than this from what it was."""

    image: torch.Tensor
    distance: float

    def pin(self, noise, image_shape):
        def purify(images):
            apart = (images - self.image).flatten(1).abs().amax(1)
            return torch.where((apart > self.distance).reshape(-1, 1, 1, 1) & self._same(apart), torch.nan, images)

        return purify

    def _same(self, apart):
        return (apart < 0.2).reshape(-1, 1, 1, 1)  # the radius is less, and other digits are further


@pytest.mark.parametrize("attack", [FGSM(), MIFGSM(3), PGD(3, iterate="last")], ids=lambda attack: attack.label)
def test_an_attacked_image_without_an_answer_is_named_and_others_are_judged(attack, caplog) -> None:
    answer = survival(attack, BreaksFarFrom(BATCH.images[1], 0.03), slice(0, 4), radius=0.1)
    plain = survival(attack, BASELINES["identity"], slice(0, 4), radius=0.1)
    assert answer.gradient_broken.values.flatten().tolist() == [False, True, False, False]
    assert judged(answer)["pinned configuration"][..., 1].item() != 1, "no answer is no right answer"
    others = [0, 2, 3]
    np.testing.assert_array_equal(answer.survived[..., others], plain.survived[..., others])
    assert f"Image {BATCH.image_ids[1]}: " in caplog.text
