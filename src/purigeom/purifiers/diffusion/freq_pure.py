"""FreqPure (Pei et al. 2025): every guess takes its low frequencies from the input, phases within a margin."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import torch
from torch import Tensor

from purigeom.geometry.chain import Chain
from purigeom.networks.diffusion.predictor import NoisePredictor
from purigeom.noise import Noise
from purigeom.protocols import Declaration
from purigeom.purifiers.diffusion.guided import (
    Guided,
    declared_guided,
    guided,
    noised_with_reference,
    without_reference,
)
from purigeom.purifiers.diffusion.process import (
    Variance,
    check_depth,
    denoised,
    posterior,
    predicted_noise,
    respaced,
    signal_levels,
    to_images,
)
from purigeom.settings import check_choices, check_flags, check_sizes

Phase: TypeAlias = Literal["projected", "replaced"]


@dataclass(frozen=True)
class FreqPure:
    """Noise and denoise; every guess gets the input's low-frequency amplitudes, and phases not far from the input's.

    The first published code also rounds input and guess to eight bits at every step, which no gradient passes, wraps no
    phase difference, and samples implicitly; here pixels keep their precision, differences wrap, and sampling is
    ancestral. Its later revision compares with an input that was denoised once, and takes ten rounds: the first is not
    offered here, the second is `Repeat`'s.

    Parameters
    ----------
    network, depth, steps, variance
        As for `DDPM`.
    amplitude_cut, phase_cut
        Radii, in periods per image, up to which frequencies are low.
    margin
        How far a low frequency's phase may be from the input's, in radians.
    phase
        Low phases are "projected" into the margin. The published code first puts the input's in their place, so that
        its projection finds nothing to do: "replaced".
    clip
        Bring every guess back to the image range, before and after frequencies are exchanged.
    """

    version: ClassVar[int] = 1
    network: NoisePredictor
    depth: int = 100
    steps: int | None = None
    amplitude_cut: float = 3.0
    phase_cut: float = 3.0
    margin: float = 0.3
    phase: Phase = "projected"
    clip: bool = True
    variance: Variance = "small"

    def __post_init__(self) -> None:
        check_depth(self, self.steps)
        check_sizes(self, "amplitude_cut", "phase_cut", "margin")
        check_flags(self, "clip")
        check_choices(self, phase=Phase)
        check_choices(self, variance=Variance)

    @property
    def declaration(self) -> Declaration:
        return declared_guided(self, "exact", clip=self.clip)

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> Chain:
        signals = signal_levels(self, image_shape)
        begin = noised_with_reference(signals[self.depth - 1], noise.child("forward"))
        steps = [_step(self, signals, levels, noise.child("reverse")) for levels in respaced(self.depth, self.steps)]
        return Chain((begin, *steps, without_reference))


def _step(purifier: FreqPure, signals: list[float], levels: tuple[int, int | None], noise: Noise) -> Guided:
    level, lower = levels
    signal = signals[level]
    gaussian = posterior(signal, 1.0 if lower is None else signals[lower], purifier.variance)

    def step(wide: Tensor) -> Tensor:
        state, reference = wide.chunk(2, 1)
        guess = denoised(state, predicted_noise(purifier.network, state, level), signal, clip=purifier.clip)
        exchanged = 2 * exchange(purifier, to_images(guess), to_images(reference)) - 1
        guess = exchanged.clamp(-1, 1) if purifier.clip else exchanged
        mean = gaussian.mean(guess, state)
        following = mean if lower is None else gaussian.draw(mean, noise.child(level))
        return torch.cat([following, reference], 1)

    return guided(purifier.network, step)


def exchange(purifier: FreqPure, guess: Tensor, reference: Tensor) -> Tensor:
    """Return a guess with the low-frequency amplitudes of its reference, and phases within the margin of them."""
    ours, theirs = torch.fft.fft2(guess), torch.fft.fft2(reference)
    amplitude, phase = _direction(ours)
    their_amplitude, their_phase = _direction(theirs)
    radius = _radius(guess)
    amplitude = their_amplitude.where(radius <= purifier.amplitude_cut, amplitude)
    margin = purifier.margin if purifier.phase == "projected" else 0.0
    apart = (phase * their_phase.conj()).angle().clamp(-margin, margin)
    near = their_phase * torch.complex(apart.cos(), apart.sin())
    return torch.fft.ifft2(amplitude * near.where(radius <= purifier.phase_cut, phase)).real


def _direction(spectrum: Tensor) -> tuple[Tensor, Tensor]:
    """Return a spectrum's amplitudes, and its phases as numbers of length one; that of nothing is one."""
    amplitude = spectrum.abs()
    some = amplitude > math.sqrt(torch.finfo(amplitude.dtype).tiny)
    return amplitude, (spectrum / amplitude.where(some, 1)).where(some, 1)


def _radius(images: Tensor) -> Tensor:
    """Return every frequency's distance from zero, in periods per image."""
    rows, columns = (torch.fft.fftfreq(size, 1 / size, device=images.device) for size in images.shape[-2:])
    return torch.hypot(rows[:, None], columns)
