"""What purigeom knows by name: purifiers, attacks, classifiers, image sets, measurements."""

from collections.abc import Mapping

from purigeom.attacks.adversary import Adversary
from purigeom.attacks.pgd import PGD
from purigeom.defence.gradients import BPDA, Surrogate
from purigeom.defence.knowledge import EOT, Unaware
from purigeom.geometry.displacement import Corners, Sphere, UniformBall
from purigeom.images import Digits
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

PURIFIERS: Mapping[str, RandomMap] = {**BASELINES, **DIGITS_DIFFUSION}
ATTACKS: Mapping[str, Adversary] = {
    "pgd-linf": Adversary(PGD()),
    "pgd-l2": Adversary(PGD(norm="l2")),
    "pgd-eot": Adversary(PGD(), EOT()),
    "bpda": Adversary(PGD(), gradient=BPDA()),
    "bpda-eot": Adversary(PGD(), EOT(15, "logits"), BPDA()),
    "pgd-surrogate": Adversary(PGD(), gradient=Surrogate()),
    "pgd-unaware": Adversary(PGD(), Unaware()),
}
CLASSIFIERS: Mapping[str, Classifier] = {"digits": ConvNet("digits-classifier")}
IMAGES: Mapping[str, ImageSet] = {
    "digits": Digits("test"),
    "digits-train": Digits("train"),
    "procedural": Procedural(),
}
DISPLACEMENTS: Mapping[str, Displacement] = {
    "uniform": UniformBall(),
    "corners": Corners(),
    "sphere": Sphere(),
}
