"""What purigeom knows by name: purifiers, attacks, classifiers, image sets, measurements."""

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
from purigeom.geometry.displacement import Corners, Sphere, UniformBall
from purigeom.images import Cifar, Digits, ImageFolder
from purigeom.networks.classifier import ConvNet
from purigeom.networks.unet import UNet
from purigeom.procedural import Procedural
from purigeom.protocols import Classifier, Displacement, ImageSet, RandomMap
from purigeom.purifiers.bit_depth import BitDepth
from purigeom.purifiers.composed import Repeat
from purigeom.purifiers.diffusion.ddim import DDIM, OneShot
from purigeom.purifiers.diffusion.ddpm import DDPM, ReverseOnly
from purigeom.purifiers.diffusion.sde import VPSDE, ProbabilityFlow
from purigeom.purifiers.gaussian import GaussianBlur, GaussianNoise
from purigeom.purifiers.identity import Identity
from purigeom.purifiers.jpeg import JPEG
from purigeom.purifiers.median import MedianFilter
from purigeom.purifiers.total_variation import TotalVariation

DIGITS_UNET = UNet("digits-ddpm")
PROCEDURAL_UNET = UNet("procedural-ddpm")
CIFAR10_UNET = UNet("cifar10-ddpm")
"""In the repository's `weights/`, not in the package."""

BASELINES: Mapping[str, RandomMap] = {
    "identity": Identity(),
    "gaussian-noise": GaussianNoise(sigma=0.25),
    "gaussian-blur": GaussianBlur(sigma=0.7),
    "median": MedianFilter(),
    "jpeg": JPEG(quality=30),
    "bit-depth": BitDepth(bits=2),
    "total-variation": TotalVariation(weight=0.2),
}

DIGITS_DIFFUSION: Mapping[str, RandomMap] = {
    "digits-ddpm": DDPM(DIGITS_UNET, depth=100, steps=6),
    "digits-reverse-only": ReverseOnly(DIGITS_UNET, depth=100, steps=6),
    "digits-ddim": DDIM(DIGITS_UNET, depth=100, steps=6),
    "digits-one-shot": OneShot(DIGITS_UNET, depth=100),
    "digits-vp-sde": VPSDE(DIGITS_UNET, depth=100, steps=20),
    "digits-probability-flow": ProbabilityFlow(DIGITS_UNET, depth=100, steps=20),
    "digits-twice": Repeat(DDPM(DIGITS_UNET, depth=40, steps=3), 2),
}

CIFAR10_PURIFIERS: Mapping[str, RandomMap] = {
    "cifar10-ddpm": DDPM(CIFAR10_UNET, depth=100, steps=10),
    "cifar10-reverse-only": ReverseOnly(CIFAR10_UNET, depth=100, steps=10),
    "cifar10-ddim": DDIM(CIFAR10_UNET, depth=100, steps=10),
    "cifar10-one-shot": OneShot(CIFAR10_UNET, depth=100),
}

PURIFIERS: Mapping[str, RandomMap] = {**BASELINES, **DIGITS_DIFFUSION, **CIFAR10_PURIFIERS}
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
CLASSIFIERS: Mapping[str, Classifier] = {
    "digits": ConvNet("digits-classifier"),
    "cifar10": ConvNet("cifar10-classifier"),
}
IMAGES: Mapping[str, ImageSet] = {
    "digits": Digits("test"),
    "digits-train": Digits("train"),
    "procedural": Procedural(),
    "cifar10": Cifar("cifar10"),
    "cifar10-train": Cifar("cifar10", "train"),
    "cifar100": Cifar("cifar100"),
    "cifar100-train": Cifar("cifar100", "train"),
    "cifar10.1": Cifar("cifar10.1"),
    "imagenet": ImageFolder("$PURIGEOM_DATA/imagenet"),
    "imagenet-samples": ImageFolder("$PURIGEOM_DATA/imagenet_samples_224.zip", resize=224, labels="name"),
}
DISPLACEMENTS: Mapping[str, Displacement] = {
    "uniform": UniformBall(),
    "corners": Corners(),
    "sphere": Sphere(),
}
