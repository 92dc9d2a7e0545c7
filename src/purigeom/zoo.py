"""The purifiers that shipped predictions are calibrated on: diffusion and classical ones, each at several strengths."""

from purigeom.networks.diffusion.predictor import NoisePredictor
from purigeom.protocols import RandomMap
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

DEPTHS = (20, 50, 90, 140, 200)
STEPS = 4


def zoo(network: NoisePredictor, steps: int = STEPS) -> dict[str, RandomMap]:
    """Return purifiers by name: those of a diffusion network of 1000 levels, in so many steps, and classical ones."""
    return {"identity": Identity(), **_classical(), **_diffusion(network, steps)}


def lean_zoo(network: NoisePredictor) -> dict[str, RandomMap]:
    """Return every other purifier of the zoo, in half as many steps: for networks that cost a hundred times as much."""
    everyone = zoo(network, STEPS // 2).items()
    return {name: one for place, (name, one) in enumerate(everyone) if place % 2 == 0}


def _classical() -> dict[str, RandomMap]:
    return {
        **{f"noise {sigma}": GaussianNoise(sigma) for sigma in (0.1, 0.25, 0.4)},
        **{f"blur {sigma}": GaussianBlur(sigma) for sigma in (0.5, 0.7, 0.9, 1.2)},
        **{f"median {width}": MedianFilter(width) for width in (3, 5)},
        **{f"jpeg {quality}": JPEG(quality) for quality in (10, 30, 60)},
        **{f"bits {bits}": BitDepth(bits) for bits in (1, 2, 3)},
        **{f"variation {weight}": TotalVariation(weight) for weight in (0.05, 0.1, 0.2, 0.4)},
    }


def _diffusion(network: NoisePredictor, steps: int) -> dict[str, RandomMap]:
    samplers = {"ddpm": DDPM, "reverse-only": ReverseOnly, "ddim": DDIM}
    return {
        **{
            f"{name} {depth}": sampler(network, depth=depth, steps=steps)
            for name, sampler in samplers.items()
            for depth in DEPTHS
        },
        **{f"one-shot {depth}": OneShot(network, depth=depth) for depth in (40, 100, 180)},
        **{f"vp-sde {depth}": VPSDE(network, depth=depth, steps=5 * steps // 2) for depth in (60, 140)},
        **{f"flow {depth}": ProbabilityFlow(network, depth=depth, steps=2 * steps) for depth in (60, 140)},
        **{f"twice {depth}": Repeat(DDPM(network, depth=depth, steps=steps // 2), 2) for depth in (40, 100)},
    }
