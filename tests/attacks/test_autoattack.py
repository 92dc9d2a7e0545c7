"""AutoAttack, FAB and Square: what they find, whose noise they use, and what they leave as it was."""

import importlib
import logging
import random
import sys

import numpy as np
import pytest
import torch

from purigeom.attacks import library
from purigeom.attacks.autoattack import AutoAttack
from purigeom.attacks.fab import FAB
from purigeom.attacks.square import Square
from purigeom.defence.gradients import Withheld
from purigeom.defence.knowledge import Fixed, Fresh
from purigeom.identity import digest, recipe
from purigeom.protocols import Batch
from tests.attacks.models import (
    BATCH,
    IMAGES,
    NOISE,
    WEIGHT,
    Shaken,
    assert_alone_as_among_others,
    assert_in_ball,
    curved,
    linear,
    target,
    two_classes,
)

ATTACKS = [
    AutoAttack(),
    AutoAttack("rand"),
    FAB(10),
    FAB(10, "l2", restarts=2),
    Square(100),
    Square(100, "l2"),
]
RIGHT = Batch(IMAGES, linear(IMAGES).argmax(1), BATCH.image_ids)

needs_package = pytest.mark.skipif(
    importlib.util.find_spec("pyautoattack") is None,
    reason="pyautoattack is not installed: pip install 'purigeom[autoattack]'",
)


def ids(attack):
    return attack.label


def quick(attack, monkeypatch, steps=5, queries=100):
    """Let AutoAttack's parts ask less often than published."""
    if isinstance(attack, AutoAttack):
        suite = importlib.import_module("pyautoattack.autoattack")
        for name in ("APGDAttack", "APGDAttack_targeted", "FABAttack_PT"):
            whole = getattr(suite, name)
            monkeypatch.setattr(suite, name, lambda *args, whole=whole, **kw: whole(*args, **kw | {"n_iter": steps}))
        perturb = suite.SquareAttack.perturb

        def fewer(square, *args):
            square.n_queries = queries
            return perturb(square, *args)

        monkeypatch.setattr(suite.SquareAttack, "perturb", fewer)
    return attack


@pytest.mark.parametrize("attack", ATTACKS, ids=ids)
def test_a_missing_package_is_named_with_the_extra_that_brings_it(attack, monkeypatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyautoattack"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(ModuleNotFoundError, match=rf"{type(attack).__name__} runs .*purigeom\[autoattack\]"):
        attack(target(curved), BATCH, NOISE, 0.1)


@pytest.mark.parametrize("attack", ATTACKS, ids=ids)
def test_the_version_of_the_package_is_part_of_the_key(attack, monkeypatch) -> None:
    found = [digest(recipe(attack))]
    for answer in ("0.2.0", "0.3.0"):
        monkeypatch.setattr(library, "version", lambda name, answer=answer: answer)
        found.append(digest(recipe(attack)))
    assert recipe(attack)["content"][type(attack).__name__] == "pyautoattack 0.3.0"
    assert found[1] != found[2]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (AutoAttack, {"suite": "plus"}),
        (AutoAttack, {"norm": "l1"}),
        (FAB, {"steps": 0}),
        (FAB, {"norm": "l1"}),
        (Square, {"queries": 0}),
    ],
)
def test_bad_settings_are_refused(kind, fields) -> None:
    with pytest.raises(ValueError, match=rf"{kind.__name__}\.{next(iter(fields))} must be"):
        kind(**fields)


@needs_package
@pytest.mark.parametrize("attack", ATTACKS, ids=ids)
@pytest.mark.parametrize("radius", [0.0, 0.05, 0.7])
def test_it_stays_in_its_ball_and_in_range(attack, radius, monkeypatch) -> None:
    found = quick(attack, monkeypatch)(target(curved), RIGHT, NOISE, radius)
    assert found.dtype == IMAGES.dtype
    assert_in_ball(found, attack.norm, radius)


@needs_package
@pytest.mark.parametrize("attack", ATTACKS, ids=ids)
@pytest.mark.parametrize("knowledge", [Fixed(), Fresh()])
def test_an_image_alone_fares_as_among_others(attack, knowledge, monkeypatch) -> None:
    assert_alone_as_among_others(quick(attack, monkeypatch), Shaken(), knowledge)


@needs_package
@pytest.mark.parametrize(
    ("attack", "radius"), [(AutoAttack(), 0.06), (AutoAttack(norm="l2"), 0.38), (FAB(30), 0.06), (FAB(30, "l2"), 0.38)]
)
def test_linear_classes_are_fooled_exactly_where_that_is_possible(attack, radius, monkeypatch) -> None:
    away = WEIGHT.unsqueeze(0) - WEIGHT[RIGHT.labels].unsqueeze(1)
    dual = away.abs().sum(2) if attack.norm == "linf" else away.norm(dim=2)
    furthest = (away @ IMAGES.flatten(1).unsqueeze(2)).squeeze(2) + radius * dual
    possible = furthest.scatter(1, RIGHT.labels.unsqueeze(1), -torch.inf).amax(1) > 0
    assert 0 < possible.sum() < 6
    found = quick(attack, monkeypatch, steps=40)(target(batch=RIGHT), RIGHT, NOISE, radius)
    assert torch.equal(linear(found).argmax(1) != RIGHT.labels, possible)


@needs_package
@pytest.mark.parametrize("attack", ATTACKS, ids=ids)
def test_it_leaves_everything_global_as_it_was(attack, monkeypatch, capfd) -> None:
    trace = sys.gettrace()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
        found = quick(attack, monkeypatch)(target(curved), BATCH, NOISE, 0.05)
        after = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
        assert torch.equal(before[0], after[0])
        assert before[1:] == after[1:]
        torch.manual_seed(1)
        assert torch.equal(attack(target(curved), BATCH, NOISE, 0.05), found)
    assert sys.gettrace() is trace
    assert logging.getLogger("auto-attack").handlers == []
    assert capfd.readouterr() == ("", "")


@needs_package
def test_square_asks_for_no_gradient() -> None:
    asked = target(curved, gradient=Withheld())
    found = Square(50)(asked, RIGHT, NOISE, 0.3)
    assert not torch.equal(found, IMAGES)
    assert sum(asked.ledger.gradients.values()) == 0
    assert min(asked.ledger.purifications[place] for place in RIGHT.image_ids) >= 1


@needs_package
def test_too_few_classes_are_named() -> None:
    with pytest.raises(ValueError, match=r"needs at least 4 classes; the classifier has 2"):
        AutoAttack()(target(two_classes), BATCH, NOISE, 0.1)


def test_every_image_travels_alone_with_a_seed_that_is_its_own() -> None:
    seen = {}

    def run(asked, batch, seed):
        assert len(batch) == len(asked.image_ids) == 1
        assert batch.images.dtype == torch.float32
        seen[batch.image_ids[0]] = seed
        return batch.images

    found = library.one_by_one(run, target(), BATCH, NOISE)
    torch.testing.assert_close(found, IMAGES, rtol=0, atol=1e-6)
    assert len(set(seen.values())) == 6
    once = dict(seen)
    library.one_by_one(run, target(batch=BATCH[4:]), BATCH[4:], NOISE[4:])
    assert seen == once
    library.one_by_one(run, target(), BATCH, NOISE.child("other"))
    assert seen != once


def test_an_attack_that_ends_in_nan_leaves_that_image_clean_and_says_so() -> None:
    asked = target()

    def run(part, batch, seed):
        return batch.images * torch.nan if batch.image_ids == (5,) else batch.images + 0.1

    found = library.one_by_one(run, asked, BATCH, NOISE)
    assert torch.equal(found[2], IMAGES[2])
    torch.testing.assert_close(found[3], IMAGES[3] + 0.1, rtol=0, atol=1e-6)
    assert list(asked.ledger.broken) == [5]
    assert "Image 5: the package's attack ended in NaN" in asked.ledger.broken[5]


@needs_package
@pytest.mark.parametrize("attack", [FAB(2), Square(20), AutoAttack()], ids=ids)
def test_labels_that_name_no_class_are_refused(attack) -> None:
    beyond = Batch(IMAGES, torch.tensor([0, 1, 2, 3, 4, 5]), BATCH.image_ids)
    with pytest.raises(ValueError, match="Labels must lie between 0 and 4"):
        attack(target(linear), beyond, NOISE, 0.1)


@needs_package
def test_behind_a_random_defence_no_lucky_draw_ends_the_attack(monkeypatch) -> None:
    """Two draws in three are wrong at the clean images, which would all come back as they were."""
    attack = quick(AutoAttack("rand"), monkeypatch)
    found = attack(target(linear, purifier=Shaken(2.0), knowledge=Fresh()), RIGHT, NOISE, 0.1)
    moved = (found - IMAGES).flatten(1).abs().amax(1)
    assert (moved > 0.09).all()
