"""Other people's attacks, where they are installed, run unchanged on the module view and find what ours find."""

import sys

import pytest
import torch

from purigeom.attacks.pgd import PGD
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.defence.judge import correct
from purigeom.defence.knowledge import EOT
from purigeom.defence.module import as_module
from purigeom.images import Digits
from purigeom.purifiers.diffusion.ddpm import DDPM
from tests.targets import target_of

DIGITS = Digits()[:32].load()
RADIUS, STEPS = 0.15, 10
PURIFIER = DDPM(DIGITS_UNET, depth=60, steps=2)
ONE_IMAGE = 1 / len(DIGITS) + 1e-9


def target(places=slice(None), **settings):
    return target_of(DIGITS, PURIFIER, CLASSIFIERS["digits"], **settings)[places]


def accuracy(images):
    """Judge by the pinned configuration; the library's own opinion counts for nothing."""
    assert ((images - DIGITS.images).abs() <= RADIUS + 1e-5).all()
    assert ((images >= 0) & (images <= 1)).all()
    asked = target()
    return float(correct(asked.defence, images, DIGITS.labels, asked.configuration).float().mean())


@pytest.fixture(scope="module")
def ours():
    attack = PGD(STEPS, relative_step=0.25, random_start=False, iterate="last")
    return attack(target(), DIGITS, target().attacker, RADIUS)


def test_torchattacks_finds_what_ours_finds(ours) -> None:
    library = pytest.importorskip("torchattacks")
    module = as_module(target(), DIGITS, RADIUS)
    attack = library.PGD(module, eps=RADIUS, alpha=RADIUS / 4, steps=STEPS, random_start=False)
    found = attack(DIGITS.images, DIGITS.labels)
    assert abs(accuracy(found) - accuracy(ours)) <= ONE_IMAGE
    assert accuracy(ours) < accuracy(DIGITS.images)


def test_foolbox_finds_what_ours_finds(ours) -> None:
    library = pytest.importorskip("foolbox")
    model = library.PyTorchModel(as_module(target(), DIGITS, RADIUS), bounds=(0, 1))
    attack = library.attacks.LinfPGD(rel_stepsize=0.25, steps=STEPS, random_start=False)
    found = attack(model, DIGITS.images, DIGITS.labels, epsilons=RADIUS)[1]
    assert abs(accuracy(found) - accuracy(ours)) <= ONE_IMAGE


@pytest.mark.filterwarnings("ignore")  # of how the library is written
@pytest.mark.parametrize("version", ["standard", "rand"])
def test_autoattack_on_the_whole_batch_is_no_weaker_than_ours(ours, version) -> None:
    """It sub-selects and re-orders what is left; FAB, which leaves the ball, goes one image at a time elsewhere."""
    library = pytest.importorskip("pyautoattack")
    module = as_module(target(), DIGITS, RADIUS)
    attack = library.AutoAttack(module, norm="Linf", eps=RADIUS, version=version, seed=0)
    attack.attacks_to_run = [name for name in attack.attacks_to_run if not name.startswith("fab")]
    attack.apgd.n_iter = attack.apgd_targeted.n_iter = STEPS
    attack.square.n_queries, attack.apgd.eot_iter = 50, min(attack.apgd.eot_iter, 2)
    trace = sys.gettrace()
    with torch.random.fork_rng():
        found = attack.run_standard_evaluation(DIGITS.images, DIGITS.labels, batch_size=len(DIGITS))[0]
    sys.settrace(trace)
    assert accuracy(found) <= accuracy(ours) + ONE_IMAGE


def test_a_library_that_averages_logits_meets_new_draws_every_time() -> None:
    library = pytest.importorskip("torchattacks")
    asked = target(knowledge=EOT(2, "logits"))
    attack = library.PGD(as_module(asked, DIGITS, RADIUS), eps=RADIUS, alpha=RADIUS / 4, steps=3)
    with torch.random.fork_rng():
        found = attack(DIGITS.images, DIGITS.labels)
    assert set(asked.ledger.purifications.values()) == {6}
    assert accuracy(found) <= accuracy(DIGITS.images)
