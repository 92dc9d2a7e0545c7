"""What a fixed number of rows at a time costs: `steady_cost`, a line of `python -m benchmarks.scale`."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from benchmarks.figure import Figure, at_most, machine, median_ratio
from purigeom.catalog import DIGITS_UNET
from purigeom.geometry.jacobian import Jacobian
from purigeom.images import Digits
from purigeom.noise import Noise
from purigeom.protocols import Batch, RandomMap
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.precision import steadied

ROWS = (16, 64, 128)
VECTORS = 8


def steady_cost(rows: Sequence[int] = ROWS, images: int = 128, repeats: int = 3) -> Figure:
    """Return how many times the time of forward passes a fixed number of rows takes, at worst over these numbers."""
    plain, batch = DDPM(DIGITS_UNET, depth=60, steps=2), Digits()[:images].load()
    found = {
        name: [median_ratio(ask(steadied(plain, one), batch), ask(plain, batch), repeats) for one in rows]
        for name, ask in ASKED.items()
    }
    told = "; ".join(f"{name} {_listed(ratios)}" for name, ratios in found.items())
    how = (
        f"time over that without the option, for {_listed(rows)} rows at a time, DDPM(digits-ddpm, 60, steps=2) of "
        f"{images} digits: {told}; medians of {repeats} pairs, {machine()}"
    )
    return at_most("steady_cost", max(found["forward passes"]), None, how)


def _listed(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:.3g}" for number in numbers)


def _forward(purifier: RandomMap, batch: Batch) -> Callable[[], Tensor]:
    return torch.no_grad()(partial(_pinned(purifier, batch), batch.images))


def _gradient(purifier: RandomMap, batch: Batch) -> Callable[[], Tensor]:
    purify, point = _pinned(purifier, batch), batch.images.clone().requires_grad_()
    return lambda: torch.autograd.grad(purify(point).sum(), point)[0]


def _product(push: bool, purifier: RandomMap, batch: Batch) -> Callable[[], Tensor]:
    few = slice(0, 16)
    jacobian = Jacobian(_pinned(purifier, batch[few]), batch.images[few])
    vectors = torch.ones(len(jacobian.images), jacobian.images[0].numel(), VECTORS)
    return partial(jacobian.push if push else jacobian.pull, vectors)


def _pinned(purifier: RandomMap, batch: Batch) -> Callable[[Tensor], Tensor]:
    return purifier.pin(Noise(0, batch.image_ids), tuple(batch.images.shape[1:]))


ASKED: dict[str, Callable[[RandomMap, Batch], Callable[[], Tensor]]] = {
    "forward passes": _forward,
    "gradients": _gradient,
    f"{VECTORS} vectors of 16 images pushed": partial(_product, True),
    f"{VECTORS} vectors of 16 images pulled": partial(_product, False),
}
