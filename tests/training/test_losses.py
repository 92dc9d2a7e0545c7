"""Claims about the losses: where they are one another's, and what each asks for."""

from dataclasses import replace
from typing import get_args

import pytest
import torch
from torch import nn
from torch.nn.functional import l1_loss

from purigeom.noise import Noise
from purigeom.training.losses import Design, LossName, Shown
from tests.networks.small import built

IDS = tuple(range(6))
CLEAN = Noise(0, IDS).uniform_like(torch.zeros(6, 1, 8, 8)) / 2 + 0.5
ATTACKED = (CLEAN + 0.1 * Noise(1, IDS).sign_like(CLEAN)).clamp(0, 1)
SHOWN = Shown(CLEAN, ATTACKED, Noise(2, IDS))
OF_CLEAN = replace(SHOWN, attacked=CLEAN)


@pytest.fixture
def network():
    return built("masked autoencoder")


def seen(network, design) -> torch.Tensor:
    """Return which pixels are visible in training: one or zero."""
    visible = network.drawn(SHOWN.noise.child("mask"), CLEAN, design.ratio)
    places = torch.zeros(6, network.places).scatter(1, visible, 1.0).view(6, 1, 4, 4)
    return places.repeat_interleave(2, 2).repeat_interleave(2, 3)


def test_maep_s_two_terms_are_one_distance(network) -> None:
    """Purification of what is visible and reconstruction of what is hidden, each over all pixels."""
    design = Design("maep", ratio=0.75)
    shown = seen(network, design)
    assert shown.mean() == 0.25
    answer = network(ATTACKED, network.drawn(SHOWN.noise.child("mask"), CLEAN, 0.75))
    purified, reconstructed = (l1_loss(part * answer, part * CLEAN) for part in (shown, 1 - shown))
    assert min(purified, reconstructed) > 0
    torch.testing.assert_close(design(network, SHOWN), purified + reconstructed)


def test_maep_without_masks_is_disco_s_loss(network) -> None:
    assert torch.equal(Design("maep", ratio=0.0)(network, SHOWN), Design("purification")(network, SHOWN))
    assert not torch.equal(Design("maep", ratio=0.5)(network, SHOWN), Design("purification")(network, SHOWN))


def test_mlm_is_maep_that_never_saw_an_attack(network) -> None:
    assert torch.equal(Design("mlm")(network, SHOWN), Design("maep")(network, OF_CLEAN))
    assert not torch.equal(Design("mlm")(network, SHOWN), Design("maep")(network, SHOWN))


def test_reconstruction_is_purification_that_never_saw_an_attack(network) -> None:
    assert torch.equal(Design("reconstruction")(network, SHOWN), Design("purification")(network, OF_CLEAN))


@pytest.mark.parametrize("loss", ["trades pixels", "trades latents"])
def test_trades_is_reconstruction_and_a_weight_of_how_far_attacks_move_the_answer(network, loss) -> None:
    none, one, three = (Design(loss, weight=weight)(network, SHOWN) for weight in (0.0, 1.0, 3.0))
    torch.testing.assert_close(none, Design("reconstruction")(network, SHOWN))
    torch.testing.assert_close(Design(loss)(network, OF_CLEAN), none)
    function = network if loss == "trades pixels" else network.encode
    moved = l1_loss(function(ATTACKED), function(CLEAN))
    assert moved > 0
    torch.testing.assert_close(one - none, moved)
    torch.testing.assert_close(three - none, 3 * moved)


def test_noise_has_every_deviation_up_to_the_highest() -> None:
    """Who takes none away loses its mean square: a third of the highest deviation's, as deviations are uniform."""
    many = tuple(range(20_000))
    shown = Shown(torch.zeros(len(many), 1, 2, 2), torch.ones(len(many), 1, 2, 2), Noise(0, many))
    lost = Design("denoising", sigma=0.6)(nn.Identity(), shown)
    torch.testing.assert_close(lost, torch.tensor(0.6**2 / 3), rtol=0.03, atol=0)


@pytest.mark.parametrize("loss", get_args(LossName))
def test_every_loss_is_a_finite_number_that_teaches_what_it_is_asked_for(network, loss) -> None:
    lost = Design(loss)(network, SHOWN)
    assert lost.shape == ()
    lost.backward()
    assert all(weight.grad.isfinite().all() for weight in network.parameters() if weight.grad is not None)
    assert network.embed.weight.grad.any()


@pytest.mark.parametrize("loss", ["mlm", "maep"])
def test_only_masks_teach_the_token_of_what_is_hidden(network, loss) -> None:
    Design(loss)(network, SHOWN).backward()
    assert network.hidden.grad.any()
    network.zero_grad()
    Design("purification")(network, SHOWN).backward()
    assert network.hidden.grad is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "nothing"}, r"Design\.loss must be one of .*; got 'nothing'"),
        ({"loss": "maep", "ratio": 1.0}, r"Design\.ratio must be at least 0 and below 1.*; got 1\.0"),
        ({"loss": "trades pixels", "weight": -1.0}, r"a weight of at least 0"),
        ({"loss": "denoising", "sigma": 0.0}, r"a positive sigma"),
    ],
)
def test_settings_out_of_range_are_named(settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        Design(**settings)
