"""Claims about the training of energies, scores and velocities, at sizes that take seconds."""

import math
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest
import torch

from purigeom.attacks.pgd import PGD
from purigeom.images import Digits
from purigeom.networks.classifier import ConvNet
from purigeom.networks.plain import convolutions
from purigeom.networks.score import ScoreNetwork
from purigeom.noise import Noise
from purigeom.purifiers.energy.adaptive import ADP
from purigeom.training import restorer
from purigeom.training.descent import Keep, Run
from purigeom.training.energy import Contrast, contrastive
from purigeom.training.field_plans import ATTACKED, FIELD_PLANS, NOISED, train_field
from purigeom.training.flow import Source, flow
from purigeom.training.flow import matching_error as flow_error
from purigeom.training.recipe import Recipe
from purigeom.training.restorer import Subject, worth
from purigeom.training.saving import saved
from purigeom.training.score import Deviations, denoising_score
from purigeom.training.score import matching_error as score_error
from tests.training.made import patterned

SUBJECT = Subject(Digits("train")[:96].load(), Digits("test")[:16].load(), ConvNet("digits-classifier"), radii=(0.2,))
PAIRS = SUBJECT.pairs()
IMAGES = SUBJECT.train.images
CHECKED = Noise(9, SUBJECT.train.image_ids)
SHAPE = {"channels": 1, "size": 8}
UNET = FIELD_PLANS["digits"]["flow"].settings | {"block_out_channels": (8, 8), "norm_num_groups": 4}
SMALL = {
    "energy": {**SHAPE, "widths": [8, 8], "activation": "silu"},
    "score": {**SHAPE, "width": 8, "blocks": 1},
    "flow": UNET,
}
UNTRAINED = Recipe(2, 1e-12, 8)
QUICK = Contrast(bank=64, langevin=5, restarts=0.2)


class StoppedError(Exception):
    """Raised by a watch to stop a training, as a kill would."""


def trained(kind, recipe, run=None):
    run = run or Run()
    if kind == "energy":
        return contrastive(IMAGES, SMALL[kind], recipe, QUICK, run)
    if kind == "score":
        return denoising_score(IMAGES, SMALL[kind], recipe, run=run)
    return flow(PAIRS, SMALL[kind], recipe, ATTACKED, run)


def test_an_energy_learns_that_digits_are_likelier_than_noise() -> None:
    """In units of its temperature, 5e-5, by far; a network that learnt nothing calls neither likelier."""
    noise = CHECKED.uniform_like(IMAGES)

    def advantage(network):
        with torch.no_grad():
            return (network(noise) - network(2 * IMAGES - 1)).mean().item()

    start, end = (trained("energy", recipe) for recipe in (UNTRAINED, Recipe(40, 3e-3, 32)))
    assert advantage(end) > max(0.05, 3 * abs(advantage(start)))


def test_samples_go_on_from_step_to_step_and_begin_anew_in_short_runs_only() -> None:
    banks = []
    watch = Run(watch=lambda step, pace, network: banks.append(network.bank.clone()))
    still = replace(QUICK, step=0.0, deviation=0.0, short=0.5, restarts=1.0)
    contrastive(IMAGES, SMALL["energy"], Recipe(8, 1e-3, 32), still, watch)
    changed = [(before != after).any((1, 2, 3)) for before, after in pairwise(banks)]
    assert [int(rows.sum()) for rows in changed] == [32, 32, 32, 0, 0, 0, 0]
    assert torch.equal(changed[0], torch.arange(64) >= 32), "the rows come in turn"


def test_a_score_learns_to_see_noise_of_any_size() -> None:
    deviations = Deviations(0.1, 0.5)
    recipes = UNTRAINED, Recipe(100, 1e-2, 32)
    networks = [denoising_score(IMAGES, SMALL["score"], recipe, deviations).eval() for recipe in recipes]
    with torch.no_grad():
        start, end = (score_error(network, IMAGES, deviations, CHECKED).item() for network in networks)
    assert end < 0.7 * start


@pytest.mark.parametrize("source", [ATTACKED, NOISED], ids=lambda source: source.origin)
def test_a_velocity_learns_the_way_to_clean_images(source) -> None:
    def error(network):
        begin = source(PAIRS.clean, PAIRS.attacked, CHECKED)
        with torch.no_grad():
            return flow_error(network, 2 * begin - 1, 2 * PAIRS.clean - 1, CHECKED).item()

    start, end = (flow(PAIRS, UNET, recipe, source).eval() for recipe in (UNTRAINED, Recipe(40, 1e-2, 16)))
    assert error(end) < 0.8 * error(start)


def test_paths_begin_between_the_image_and_the_attacked_one_or_in_its_noise() -> None:
    attacked = ATTACKED(PAIRS.clean, PAIRS.attacked, CHECKED)
    share = (attacked - PAIRS.clean).flatten(1).norm(dim=1) / (PAIRS.attacked - PAIRS.clean).flatten(1).norm(dim=1)
    assert 0 <= share.min() < 0.1
    assert 0.9 < share.max() <= 1 + 1e-6
    noised = NOISED(PAIRS.clean, PAIRS.attacked, CHECKED) - PAIRS.clean
    assert noised.std().item() == pytest.approx(0.25, rel=0.05)


@pytest.mark.parametrize("kind", SMALL)
def test_a_training_that_was_stopped_ends_where_an_undisturbed_one_does(kind, tmp_path) -> None:
    """The samples that an energy is contrasted with are kept with it."""
    recipe, keep = Recipe(6, 1e-2, 16), Keep(tmp_path / "state.pt", seconds=0)

    def stop(step, pace, network) -> None:
        if step == 4:
            raise StoppedError

    expected = trained(kind, recipe).state_dict()
    with pytest.raises(StoppedError):
        trained(kind, recipe, Run(keep=keep, watch=stop))
    torch.manual_seed(99)  # whoever goes on has another past
    found = trained(kind, recipe, Run(keep=keep)).state_dict()
    assert all(torch.equal(found[part], expected[part]) for part in expected)
    with pytest.raises(ValueError, match="A kept training can be gone on with by its own recipe"):
        trained(kind, replace(recipe, seed=1), Run(keep=keep))


@pytest.mark.parametrize("name", FIELD_PLANS["digits"])
def test_every_plan_makes_the_purifier_that_it_names(name, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(restorer, "JUDGING", PGD(2))
    plan = FIELD_PLANS["digits"][name]
    kind = name.partition("-")[0]
    settings = {**SMALL[kind], **({"activation": plan.settings["activation"]} if kind == "energy" else {})}
    plan = replace(plan, settings=settings, recipe=Recipe(2, 1e-3, 8))
    told = train_field(tmp_path, SUBJECT, plan)
    assert set(told) == {f"{shown}_{what}" for shown in ("clean", "attacked_0.2") for what in ("accuracy", "distance")}
    assert worth(plan.purifier(str(tmp_path)), SUBJECT) == told


def coloured(folder) -> Subject:
    """Return a few images of the shape of CIFAR-10's, and an untrained classifier of them."""
    settings = {"channels": 3, "classes": 10, "width": 2, "size": 32}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        saved(folder, convolutions(**settings), settings)
    return Subject(patterned(4), patterned(2, first=100), ConvNet(str(folder)), radii=(8 / 255,))


def hurried(plan):
    """Return a plan for the same network, with less to do for its training and its purifier."""
    train = plan.train
    if "activation" in plan.settings:
        train = partial(train, contrast=replace(train.keywords["contrast"], bank=8, langevin=2))

    def purifier(checkpoint):
        published = plan.purifier(checkpoint)
        return replace(published, **{"iterations" if isinstance(published, ADP) else "steps": 2})

    return replace(plan, train=train, recipe=Recipe(2, 1e-6, 2), purifier=purifier)


@pytest.mark.parametrize("name", FIELD_PLANS["cifar10"])
def test_every_plan_for_cifar_trains_loads_and_judges_at_its_full_size(name, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(restorer, "JUDGING", PGD(2))
    subject, plan = coloured(tmp_path / "against"), hurried(FIELD_PLANS["cifar10"][name])
    told = train_field(tmp_path / "made", subject, plan)
    assert all(math.isfinite(figure) for figure in told.values())
    purifier = plan.purifier(str(tmp_path / "made"))
    assert worth(purifier, subject) == told
    purifier.network.check((3, 32, 32))
    with pytest.raises(ValueError, match=r"; got .*\(1, 8, 8\)"):
        purifier.network.check((1, 8, 8))


def test_energies_of_cifar_are_purified_by_as_published() -> None:
    plans = FIELD_PLANS["cifar10"]
    assert plans.keys() == FIELD_PLANS["digits"].keys()
    for name in ("energy", "energy-published"):
        purifier = plans[name].purifier("checkpoint")
        contrast = plans[name].train.keywords["contrast"]
        assert (purifier.steps, purifier.step, purifier.deviation) == (1500, 1.0, 0.01)
        assert (contrast.step, contrast.deviation) == (purifier.step, purifier.deviation), "one temperature"
    assert plans["energy-published"].settings["widths"] == [32, 64, 128, 256]
    assert plans["energy-published"].settings["activation"] == "leaky relu"
    assert plans["score"].purifier("checkpoint") == ADP(ScoreNetwork("checkpoint"))


def test_a_source_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match=r"Source.origin must be one of .*; got 'nowhere'"):
        Source("nowhere")
    with pytest.raises(ValueError, match=r"Source.sigma must be positive; got 0"):
        Source("noised", 0.0)
