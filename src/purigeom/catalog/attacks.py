"""Attacks by name, each with what it knows and how it differentiates."""

from collections.abc import Mapping

from purigeom.attacks.adversary import Adversary
from purigeom.attacks.apgd import APGD
from purigeom.attacks.autoattack import AutoAttack
from purigeom.attacks.denoiser import DenoiserAttack
from purigeom.attacks.deviation import DiffAttack
from purigeom.attacks.diffhammer import DiffHammer
from purigeom.attacks.fab import FAB
from purigeom.attacks.fgsm import FGSM
from purigeom.attacks.mi_fgsm import MIFGSM
from purigeom.attacks.pgd import PGD
from purigeom.attacks.sia import SIA
from purigeom.attacks.square import Square
from purigeom.attacks.transformations import TEN
from purigeom.defence.gradients import BPDA, Surrogate, Withheld
from purigeom.defence.knowledge import EOT, Fresh, Unaware

ATTACKS: Mapping[str, Adversary] = {
    "fgsm": Adversary(FGSM()),
    "pgd-linf": Adversary(PGD()),
    "pgd-l2": Adversary(PGD(norm="l2")),
    "pgd-unaware": Adversary(PGD(), Unaware()),
    "pgd-fresh": Adversary(PGD(), Fresh()),
    "pgd-eot": Adversary(PGD(), EOT()),
    "pgd-surrogate": Adversary(PGD(), gradient=Surrogate()),
    "bpda": Adversary(PGD(), gradient=BPDA()),
    "bpda-eot": Adversary(PGD(), EOT(15, "logits"), BPDA()),
    "mi-fgsm": Adversary(MIFGSM()),
    "sia": Adversary(SIA()),
    "sia-10": Adversary(SIA(operators=TEN)),
    "apgd-ce": Adversary(APGD()),
    "apgd-l2": Adversary(APGD(norm="l2")),
    "apgd-dlr": Adversary(APGD(loss="dlr")),
    "apgd-targeted": Adversary(APGD(loss="targeted dlr")),
    "autoattack-standard": Adversary(AutoAttack()),
    "autoattack-rand": Adversary(AutoAttack("rand"), Fresh()),
    "fab": Adversary(FAB()),
    "square": Adversary(Square(), gradient=Withheld()),
    "diffattack": Adversary(DiffAttack(), EOT()),
    "diffattack-dlr": Adversary(DiffAttack(loss="dlr"), EOT()),
    "diffhammer": Adversary(DiffHammer(), EOT(10)),
    "diffhammer-surrogate": Adversary(DiffHammer(), EOT(10), Surrogate()),
    "denoiser-reconstruction": Adversary(DenoiserAttack()),
    "denoiser-reconstruction-one-shot": Adversary(DenoiserAttack(), gradient=Surrogate(1)),
}
"""Transfer between configurations is any of those with fixed knowledge, judged by fresh configurations."""
