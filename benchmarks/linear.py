"""What the Jacobian is worth beside sampling, and what all of it costs."""

import torch
from torch import Tensor

from benchmarks.clock import compute_seconds, conditions, device, one_thread
from benchmarks.figure import Figure, at_least, at_most, median_ratio
from benchmarks.spectra import PROCEDURAL, Study, described, known
from purigeom.catalog import PROCEDURAL_UNET
from purigeom.geometry.compression import compression_ratio
from purigeom.geometry.displacement import UniformBall
from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.spectrum import exact
from purigeom.noise import Noise
from purigeom.procedural import Procedural
from purigeom.purifiers.diffusion.ddpm import DDPM

FEW_STEPS = Study(DDPM(PROCEDURAL_UNET, depth=100, steps=4), Procedural()[:2])


def exact_cost_per_dimension(study: Study = FEW_STEPS, repeats: int = 3, rounds: int = 64) -> Figure:
    """Compute all singular values of some images, from their states on."""
    batch = study.images.load()
    images = batch.images.to(device())
    chain = study.purifier.pin(Noise(0, batch.image_ids), tuple(images.shape[1:]))
    dimensions = images[0].numel()

    @torch.no_grad()
    def bare() -> None:
        for _ in range(rounds):
            chain(images)

    with one_thread():
        ratio = median_ratio(lambda: exact.singular_values(Jacobian(chain, images)), bare, repeats, compute_seconds)
        how = (
            f"time of the exact spectra, states and decomposition included, over {dimensions} times that of a chain's "
            f"forward pass of the same {len(images)} images; {study.purifier!r}, {dimensions} dimensions; "
            f"{conditions()}; median of {repeats} pairs in turns, each with {rounds} forward passes"
        )
    return at_most("exact_cost_per_dimension", ratio * rounds / dimensions, 1.1, how)


def linear_control_variate(study: Study = PROCEDURAL, radius: int = 8, probes: int = 64) -> Figure:
    """Take from sampled compression what the Jacobian predicts of it."""
    ratios, stretches = zip(*(_probe(study, radius / 255, probe) for probe in range(probes)), strict=True)
    sampled, linear = torch.stack(ratios, 1), torch.stack(stretches, 1)
    squared = known(study).dense.values.double().square().sum((1, 2)) / linear.new_tensor(_dimensions(study))
    mean = squared.unsqueeze(1)
    left = sampled - (linear - mean) / (2 * mean.sqrt())
    gains = sampled.var(1) / left.var(1)
    how = (
        f"variance of the compression ratio within an image, over what is left of it less (q - c^2) / (2 c), with q "
        f"= |J d|^2 / |d|^2 and c^2 = |J|_F^2 / D: median of {len(gains)} images, from {float(gains.min()):.3g} to "
        f"{float(gains.max()):.3g}; {probes} probes in the uniform linf ball of radius {radius}/255; {described(study)}"
    )
    return at_least(f"linear_control_variate.{radius}/255", float(gains.quantile(0.5)), None, how)


@torch.no_grad()
def _probe(study: Study, radius: float, probe: int) -> tuple[Tensor, Tensor]:
    """Return how much one displacement of every image shrinks, and the square of what its Jacobian says of it."""
    jacobian, dense = known(study).jacobian, known(study).dense
    displacement = UniformBall()(Noise(0, study.ids).child("displacement", probe), jacobian.images, radius)
    moved = displacement.flatten(1).double()
    stretched = dense.values.double() @ moved.unsqueeze(-1)
    ratio = compression_ratio(jacobian.image_map, jacobian.images, displacement)
    return ratio.double(), stretched.squeeze(-1).square().sum(1) / moved.square().sum(1)


def _dimensions(study: Study) -> int:
    return known(study).values.shape[1]
