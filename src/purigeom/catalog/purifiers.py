"""Purifiers by name."""

from collections.abc import Mapping

from purigeom.images import Digits
from purigeom.networks.autoencoder import Autoencoder
from purigeom.networks.classifier import ConvNet
from purigeom.networks.disco import DISCO
from purigeom.networks.dncnn import DnCNN
from purigeom.networks.energy import EnergyNetwork
from purigeom.networks.masked_autoencoder import MaskedAutoencoder
from purigeom.networks.score import ScoreNetwork
from purigeom.networks.self_supervised import SelfSupervised
from purigeom.networks.unet import UNet
from purigeom.networks.velocity import Velocity
from purigeom.protocols import RandomMap
from purigeom.purifiers.bilateral import BilateralFilter
from purigeom.purifiers.bit_depth import BitDepth
from purigeom.purifiers.composed import Repeat
from purigeom.purifiers.coupled.anti_adversary import AntiAdversary
from purigeom.purifiers.coupled.soap import SOAP
from purigeom.purifiers.cropping import RandomCrop
from purigeom.purifiers.diffusion.dda import DDA
from purigeom.purifiers.diffusion.ddim import DDIM, OneShot
from purigeom.purifiers.diffusion.ddpm import DDPM, ReverseOnly
from purigeom.purifiers.diffusion.edm_sampling import EDMSampling
from purigeom.purifiers.diffusion.freq_pure import FreqPure
from purigeom.purifiers.diffusion.gdmp import GDMP
from purigeom.purifiers.diffusion.likelihood import LikelihoodMaximisation
from purigeom.purifiers.diffusion.lorid import LoRID
from purigeom.purifiers.diffusion.mimic import MimicDiffusion
from purigeom.purifiers.diffusion.random_sampling import RandomSampling
from purigeom.purifiers.diffusion.score_opt import ScoreOptN, ScoreOptO
from purigeom.purifiers.diffusion.sde import VPSDE, ProbabilityFlow
from purigeom.purifiers.energy.adaptive import ADP
from purigeom.purifiers.energy.langevin import LangevinEBM
from purigeom.purifiers.energy.noise_score import NoiseScore
from purigeom.purifiers.flow_matching import FlowMatching
from purigeom.purifiers.gaussian import GaussianBlur, GaussianNoise
from purigeom.purifiers.identity import Identity
from purigeom.purifiers.jpeg import JPEG
from purigeom.purifiers.masked_reconstruction import MaskedReconstruction
from purigeom.purifiers.median import MedianFilter
from purigeom.purifiers.non_local_means import NonLocalMeans
from purigeom.purifiers.padding import RandomPadding
from purigeom.purifiers.pixel_deflection import PixelDeflection
from purigeom.purifiers.quilting import Quilting
from purigeom.purifiers.reconstruction import Reconstruction
from purigeom.purifiers.total_variation import TotalVariation
from purigeom.purifiers.wavelet import WaveletShrinkage

DIGITS_UNET = UNet("digits-ddpm")
PROCEDURAL_UNET = UNet("procedural-ddpm")
CIFAR10_UNET = UNet("cifar10-ddpm")
"""In the repository's `weights/`, not in the package."""

_LOSSES = ("", "-purification", "-reconstruction", "-mlm", "-trades-pixels", "-trades-latents")
_MASKED = tuple(f"digits-maep{loss}" for loss in _LOSSES)

BASELINES: Mapping[str, RandomMap] = {
    "identity": Identity(),
    "gaussian-noise": GaussianNoise(sigma=0.25),
    "gaussian-blur": GaussianBlur(sigma=0.7),
    "median": MedianFilter(),
    "jpeg": JPEG(quality=30),
    "bit-depth": BitDepth(bits=2),
    "total-variation": TotalVariation(weight=0.2),
}
"""The few that the demo measures."""

CLASSICAL: Mapping[str, RandomMap] = {
    "wavelet": WaveletShrinkage(0.1),
    "wavelet-hard": WaveletShrinkage(0.1, rule="visu", shrinkage="hard"),
    "bilateral": BilateralFilter(0.3),
    "non-local-means": NonLocalMeans(0.2),
    "pixel-deflection": PixelDeflection(8, 2),
    "random-padding": RandomPadding(0.7),
    "random-crop": RandomCrop(0.7),
}

DIGITS_COUPLED: Mapping[str, RandomMap] = {
    "digits-quilting": Quilting(Digits("train"), 3, 1, 10, 2000),
    "digits-anti-adversary": AntiAdversary(ConvNet("digits-classifier")),
    "digits-soap": SOAP(SelfSupervised("digits-soap")),
    "digits-soap-rotation": SOAP(SelfSupervised("digits-soap"), "rotation"),
    "digits-soap-consistency": SOAP(SelfSupervised("digits-soap"), "consistency"),
}
"""Purifiers that hold images or a classifier of digits."""

DIGITS_DIFFUSION: Mapping[str, RandomMap] = {
    "digits-ddpm": DDPM(DIGITS_UNET, depth=100, steps=6),
    "digits-reverse-only": ReverseOnly(DIGITS_UNET, depth=100, steps=6),
    "digits-ddim": DDIM(DIGITS_UNET, depth=100, steps=6),
    "digits-one-shot": OneShot(DIGITS_UNET, depth=100),
    "digits-vp-sde": VPSDE(DIGITS_UNET, depth=100, steps=20),
    "digits-probability-flow": ProbabilityFlow(DIGITS_UNET, depth=100, steps=20),
    "digits-twice": Repeat(DDPM(DIGITS_UNET, depth=40, steps=3), 2),
}

DIGITS_GUIDED: Mapping[str, RandomMap] = {
    "digits-gdmp": GDMP(DIGITS_UNET, depth=36, rounds=2, steps=4, scale=1250.0),
    "digits-gdmp-ssim": GDMP(DIGITS_UNET, depth=36, rounds=2, steps=4, guide="ssim", scale=100.0),
    "digits-score-opt-o": ScoreOptO(DIGITS_UNET, shared=True),
    "digits-score-opt-n": ScoreOptN(DIGITS_UNET, sigma=0.25, iterations=5),
    "digits-likelihood": LikelihoodMaximisation(DIGITS_UNET, iterations=3),
    "digits-mimic": MimicDiffusion(DIGITS_UNET, steps=20, scale=187.5, reference_batch=16),
    "digits-mimic-published": MimicDiffusion(
        DIGITS_UNET, steps=20, scale=187.5, through_network=False, reference_batch=16
    ),
    "digits-dda": DDA(DIGITS_UNET, depth=200, steps=6, scale=1.0, factor=2),
    "digits-random-sampling": RandomSampling(DIGITS_UNET, depth=200, steps=5),
    "digits-random-sampling-guided": RandomSampling(DIGITS_UNET, depth=500, steps=5, scale=20.0),
    "digits-freq-pure": FreqPure(DIGITS_UNET, depth=100, steps=6, amplitude_cut=1, phase_cut=1),
    "digits-lorid": LoRID(DIGITS_UNET, depth=20, rounds=5, steps=2),
    "digits-edm": EDMSampling(DIGITS_UNET, depth=100, steps=5),
    "digits-edm-churn": EDMSampling(DIGITS_UNET, depth=100, steps=5, churn=1.0),
}
"""Scales of guidance were chosen on digits: published ones are for images of 3,072 numbers, and overshoot here."""

DIGITS_TRAINED: Mapping[str, RandomMap] = {
    "digits-disco": Reconstruction(DISCO("digits-disco")),
    **{name: MaskedReconstruction(MaskedAutoencoder(name)) for name in _MASKED},
    "digits-maep-half": MaskedReconstruction(MaskedAutoencoder("digits-maep"), ratio=0.5),
    "digits-autoencoder": Reconstruction(Autoencoder("digits-autoencoder")),
    "digits-dncnn": Reconstruction(DnCNN("digits-dncnn")),
}
"""Networks that were trained to give clean digits back."""

DIGITS_FIELDS: Mapping[str, RandomMap] = {
    "digits-langevin": LangevinEBM(EnergyNetwork("digits-energy"), steps=20, step=9.0, deviation=0.03),
    "digits-adp": ADP(ScoreNetwork("digits-score")),
    "digits-adp-ddpm": ADP(NoiseScore(DIGITS_UNET, 0.1), sigma=0.15, iterations=2, rate=0.5),
    "digits-flow": FlowMatching(Velocity("digits-flow"), steps=5),
}
"""Purifiers that follow an energy, a score or a velocity."""

CIFAR10_PURIFIERS: Mapping[str, RandomMap] = {
    "cifar10-ddpm": DDPM(CIFAR10_UNET, depth=100, steps=10),
    "cifar10-reverse-only": ReverseOnly(CIFAR10_UNET, depth=100, steps=10),
    "cifar10-ddim": DDIM(CIFAR10_UNET, depth=100, steps=10),
    "cifar10-one-shot": OneShot(CIFAR10_UNET, depth=100),
    "cifar10-autoencoder": Reconstruction(Autoencoder("cifar10-autoencoder")),
}

PURIFIERS: Mapping[str, RandomMap] = {
    **BASELINES,
    **CLASSICAL,
    **DIGITS_DIFFUSION,
    **DIGITS_GUIDED,
    **DIGITS_COUPLED,
    **DIGITS_TRAINED,
    **DIGITS_FIELDS,
    **CIFAR10_PURIFIERS,
}
