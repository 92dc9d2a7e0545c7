"""Claims about the trainer of networks that give clean images back, with few images and small networks."""

import json
from dataclasses import replace

import pytest
import torch

from purigeom.attacks.pgd import PGD
from purigeom.images import Digits
from purigeom.networks.classifier import ConvNet
from purigeom.networks.files import SHIPPED
from purigeom.noise import Noise
from purigeom.training import restorer as training
from purigeom.training.descent import Keep, Run
from purigeom.training.losses import Design, Shown
from purigeom.training.recipe import Recipe
from purigeom.training.restorer import Subject, restorer, train_restorer, worth
from purigeom.training.restorer_plans import PLANS
from tests.networks.small import KINDS

SUBJECT = Subject(
    Digits("train")[:64].load(), Digits("test")[:32].load(), ConvNet("digits-classifier"), radii=(0.1, 0.2), draws=2
)
PAIRS = SUBJECT.pairs()
CHECKED = Shown(PAIRS.clean, PAIRS.attacked, Noise(9, tuple(range(128))))
KIND_OF = {"disco": "disco", "autoencoder": "autoencoder", "dncnn": "dncnn"}


class StoppedError(Exception):
    """Raised by a watch to stop a training, as a kill would."""


def small(name, steps=25):
    """Return a shipped plan with less to do and a smaller network."""
    plan = PLANS["digits"][name]
    return replace(plan, settings=KINDS[KIND_OF.get(name, "masked autoencoder")][2], recipe=Recipe(steps, 1e-2, 16))


def test_pairs_are_images_and_what_attacks_from_several_starts_made_of_them() -> None:
    assert torch.equal(PAIRS.clean, SUBJECT.train.images.repeat(2, 1, 1, 1))
    assert (PAIRS.attacked - PAIRS.clean).abs().max() <= 0.2 + 1e-6
    first, second = PAIRS.attacked.chunk(2)
    assert not torch.equal(first, second)
    right = ConvNet("digits-classifier").load()(PAIRS.attacked).argmax(1) == SUBJECT.train.labels.repeat(2)
    assert right.float().mean() < 0.2


@pytest.mark.parametrize("name", PLANS["digits"])
def test_every_plan_learns_what_it_is_asked_for(name) -> None:
    plan = small(name)
    start = restorer(PAIRS, replace(plan, recipe=replace(plan.recipe, peak_rate=1e-12)))
    losses = [plan.design(network.eval(), CHECKED).item() for network in (start, restorer(PAIRS, plan))]
    assert losses[1] < 0.8 * losses[0]


@pytest.mark.parametrize("name", ["disco", "dncnn", "maep", "maep-trades-latents"])
def test_a_training_that_was_stopped_ends_where_an_undisturbed_one_does(name, tmp_path) -> None:
    plan, keep = small(name, 6), Keep(tmp_path / "state.pt", seconds=0)

    def stop(step, pace, network) -> None:
        if step == 4:
            raise StoppedError

    expected = restorer(PAIRS, plan).state_dict()
    with pytest.raises(StoppedError):
        restorer(PAIRS, plan, Run(keep=keep, watch=stop))
    torch.manual_seed(99)  # whoever goes on has another past
    found = restorer(PAIRS, plan, Run(keep=keep)).state_dict()
    assert len(found) == len(expected) > 5
    assert all(torch.equal(found[part], expected[part]) for part in expected)


def test_what_was_kept_of_another_loss_is_not_gone_on_with(tmp_path) -> None:
    run = Run(keep=Keep(tmp_path / "state.pt"))
    restorer(PAIRS, small("maep", 2), run)
    with pytest.raises(ValueError, match=r"loss='maep'.*this one is .*loss='mlm'"):
        restorer(PAIRS, small("maep-mlm", 2), run)


def test_figures_are_those_of_what_was_saved(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(training, "JUDGING", PGD(2))
    plan = small("maep", 3)
    told = train_restorer(tmp_path, SUBJECT, plan)
    names = ("clean", "attacked_0.1", "attacked_0.2")
    assert set(told) == {f"{name}_{what}" for name in names for what in ("accuracy", "distance")}
    assert worth(plan.purifier(str(tmp_path)), SUBJECT) == told


def test_a_loss_with_masks_needs_a_network_with_patches() -> None:
    for loss in ("maep", "mlm", "trades latents"):
        with pytest.raises(ValueError, match=rf"The loss '{loss}' needs a masked autoencoder; got `disco`"):
            restorer(PAIRS, replace(small("disco"), design=Design(loss)))


def test_there_is_a_plan_for_every_loss_and_the_same_losses_on_both_sets_of_images() -> None:
    losses = {images: sorted(plan.design.loss for plan in plans.values()) for images, plans in PLANS.items()}
    assert losses["digits"] == losses["cifar10"]
    assert len(set(losses["digits"])) == 7


@pytest.mark.parametrize("name", PLANS["digits"])
def test_what_is_shipped_is_what_its_card_says(name) -> None:
    card = (SHIPPED / "MODEL_CARD.md").read_text()
    (row,) = (line for line in card.splitlines() if line.startswith(f"| `digits-{name}` |"))
    purifier, test = PLANS["digits"][name].purifier(f"digits-{name}"), Digits("test").load()
    purified = purifier.pin(Noise(0, test.image_ids), (1, 8, 8))(test.images)
    right = ConvNet("digits-classifier").load()(purified).argmax(1) == test.labels
    assert f"| {100 * right.float().mean():.1f} % |" in row
    assert f"| {PLANS['digits'][name].design.loss}, " in row
    assert purifier.network.content() in card
    assert json.loads((SHIPPED / f"digits-{name}" / "config.json").read_text()) == PLANS["digits"][name].settings
