"""Every gradient mode against what it says it is, on the digits' own diffusion purifiers."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch

from purigeom.attacks.losses import climbing
from purigeom.attacks.pgd import PGD
from purigeom.catalog import BASELINES, CLASSIFIERS, DIGITS_UNET
from purigeom.defence.gradients import BPDA, Exact, FewerBits, FullGraph, Surrogate, Withheld
from purigeom.geometry.memory import peak_bytes
from purigeom.images import Digits
from purigeom.networks.quick import Quick
from purigeom.protocols import Declaration
from purigeom.purifiers.composed import Compose, Repeat
from purigeom.purifiers.diffusion.ddim import DDIM, OneShot
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.wrapped import wrap
from tests.targets import target_of

DIGITS = Digits()[:2].load()
DIGITS = replace(DIGITS, images=DIGITS.images.double())
CE = climbing("ce", DIGITS.labels)
BLACK_BOX = wrap(lambda images: images.detach().round(), name="black box", differentiability="none")


def slope(purifier, gradient, loss=CE, **settings):
    target = target_of(DIGITS, purifier, CLASSIFIERS["digits"], gradient=gradient, **settings)
    return target.slope(DIGITS.images, loss)


@pytest.mark.parametrize(("depth", "steps"), [(100, 100), (100, 7), (20, None), (1, 1)])
def test_exact_gradients_are_those_of_the_full_graph(depth, steps) -> None:
    purifier = DDPM(DIGITS_UNET, depth=depth, steps=steps)
    (loss, exact), (same, full) = slope(purifier, Exact()), slope(purifier, FullGraph())
    assert torch.equal(loss, same)
    torch.testing.assert_close(exact, full, rtol=1e-10, atol=1e-10 * float(full.abs().max()))


def test_exact_gradients_through_purifiers_of_purifiers_are_those_of_the_full_graph() -> None:
    purifier = Compose((BASELINES["gaussian-blur"], Repeat(DDIM(DIGITS_UNET, depth=40, steps=3), 2)))
    (_, exact), (_, full) = slope(purifier, Exact()), slope(purifier, FullGraph())
    torch.testing.assert_close(exact, full, rtol=1e-10, atol=1e-10 * float(full.abs().max()))


def test_an_exact_gradient_needs_no_more_memory_for_more_steps_and_the_full_graph_does() -> None:
    def bytes_needed(steps, gradient):
        return peak_bytes(lambda: slope(DDPM(DIGITS_UNET, depth=100, steps=steps), gradient))[1]

    few, many, full = bytes_needed(5, Exact()), bytes_needed(50, Exact()), bytes_needed(50, FullGraph())
    states = 45 * DIGITS.images.numel() * 8
    assert many < 1.05 * few + 4 * states
    assert full > 5 * many


def test_bpda_gives_the_classifier_s_gradient_at_the_purified_image() -> None:
    purifier = DDPM(DIGITS_UNET, depth=60, steps=4)
    target = target_of(DIGITS, purifier, CLASSIFIERS["digits"], gradient=BPDA())
    purified = target.purified(DIGITS.images)[0].detach().requires_grad_()
    (behind,) = torch.autograd.grad(CE(CLASSIFIERS["digits"].load()(purified)).sum(), purified)
    loss, found = target.slope(DIGITS.images, CE)
    torch.testing.assert_close(found, behind)
    assert torch.equal(loss, slope(purifier, Exact())[0])


def test_bpda_passes_a_purifier_that_turns_gradients_on_for_itself() -> None:
    def optimised(images):
        with torch.enable_grad():
            return 2 * images + 0

    assert torch.equal(
        *(
            target_of(DIGITS, wrap(body, name="body"), CLASSIFIERS["digits"], gradient=BPDA()).slope(DIGITS.images, CE)[
                1
            ]
            for body in (optimised, lambda images: 2 * images.detach())
        )
    )


def test_a_surrogate_is_the_coarser_chain() -> None:
    fine, coarse = (DDPM(DIGITS_UNET, depth=60, steps=steps) for steps in (20, 5))
    for one, other in zip(slope(fine, Surrogate(5)), slope(coarse, Exact()), strict=True):
        assert torch.equal(one, other)


def test_a_surrogate_is_found_inside_a_composition() -> None:
    blur, part = BASELINES["gaussian-blur"], DDPM(DIGITS_UNET, depth=60)
    composed = Compose((blur, Repeat(part, 2), OneShot(DIGITS_UNET, depth=10)))
    coarse = Compose((blur, Repeat(replace(part, steps=5), 2), OneShot(DIGITS_UNET, depth=10)))
    assert Surrogate(5).coarser(composed) == coarse


@pytest.mark.parametrize("purifier", [BASELINES["median"], DDPM(DIGITS_UNET, depth=60, steps=5), BLACK_BOX])
def test_a_purifier_without_steps_to_leave_out_has_no_surrogate(purifier) -> None:
    with pytest.raises(ValueError, match=r"Surrogate\(steps=5\) needs a purifier with a depth and more than 5 steps"):
        slope(purifier, Surrogate(5))


def test_fewer_bits_are_the_quick_purifier_s_gradient_and_the_judge_s_answer_stays_full() -> None:
    full, quick = (DDPM(network, depth=60, steps=3) for network in (DIGITS_UNET, Quick(DIGITS_UNET)))
    for one, other in zip(slope(full, FewerBits()), slope(quick, Exact()), strict=True):
        assert torch.equal(one, other)
    fewer, all_bits = (slope(full, gradient)[1].flatten() for gradient in (FewerBits(), Exact()))
    assert 0.99 < torch.cosine_similarity(fewer, all_bits, dim=0) < 1


@pytest.mark.parametrize("purifier", [BASELINES["median"], DDPM(Quick(DIGITS_UNET), depth=60, steps=3)])
def test_fewer_bits_need_a_network_that_has_them(purifier) -> None:
    with pytest.raises(
        ValueError, match=r"FewerBits\(precision='bfloat16'\) needs a purifier with a diffusion network"
    ):
        slope(purifier, FewerBits())


def test_full_precision_is_not_fewer_bits() -> None:
    with pytest.raises(ValueError, match=r"FewerBits\.precision must be 'bfloat16' or 'float16'; got 'full'"):
        FewerBits("full")


@pytest.mark.parametrize("gradient", [Exact(), FullGraph()])
def test_a_black_box_under_exact_gradients_is_told_what_works(gradient) -> None:
    with pytest.raises(ValueError, match=r"differentiability 'none'.* BPDA\(\) .* Unaware\(\) .* Square needs none"):
        slope(BLACK_BOX, gradient)
    assert slope(BLACK_BOX, BPDA())[1].any()


def test_who_takes_no_gradient_gets_answers_and_no_slope() -> None:
    target = target_of(DIGITS, BLACK_BOX, CLASSIFIERS["digits"], gradient=Withheld())
    assert target.logits(DIGITS.images).shape == (1, 2, 10)
    with pytest.raises(ValueError, match=r"Withheld\(\) cut the graph .* Take BPDA\(\), or an attack"):
        target.slope(DIGITS.images, CE)


def test_a_defence_that_cuts_the_graph_is_refused() -> None:
    cut = wrap(lambda images: images.detach(), name="cut")
    with pytest.raises(ValueError, match="cut the graph"):
        PGD()(target_of(DIGITS, cut, CLASSIFIERS["digits"]), DIGITS, target_of(DIGITS).attacker, 0.1)


def test_no_steps_are_no_surrogate() -> None:
    with pytest.raises(ValueError, match=r"Surrogate\.steps must be a whole number of at least 1; got 0"):
        Surrogate(0)


@dataclass(frozen=True)
class Mine:
    """A stranger's gradient: half the exact one."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "half"
    declaration: ClassVar[Declaration] = Declaration("mine")

    def pin(self, purifier, noise, image_shape):
        image_map = Exact().pin(purifier, noise, image_shape)

        def purify(images):
            purified = image_map(images)
            return purified / 2 + purified.detach() / 2

        return purify


def test_anyone_s_gradient_mode_plugs_in() -> None:
    purifier = DDPM(DIGITS_UNET, depth=20, steps=2)
    torch.testing.assert_close(2 * slope(purifier, Mine())[1], slope(purifier, Exact())[1])
