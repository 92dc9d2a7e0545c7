"""How much of a bare network's throughput compression, pushes and pulls keep."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial

from torch import Tensor

from benchmarks.cifar_cases import RADIUS, SHAPE, WAYS, Case, grey
from benchmarks.cifar_throughput import Ask, best, forward, forward_and_pull, median_seconds, share, told
from benchmarks.clock import one_thread
from benchmarks.figure import Figure, at_least
from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.matrices import normal_vectors
from purigeom.measurements.compression import Compression
from purigeom.networks.quick import Quick
from purigeom.noise import Noise


@dataclass(frozen=True)
class Product:
    """A product with a Jacobian, and what of the bare network it is compared with."""

    product: Callable[[Jacobian, Tensor], Tensor]
    ask: Ask
    unit: str


PRODUCTS: Mapping[str, Product] = {
    "push": Product(Jacobian.push, forward, "a no_grad call of the bare network"),
    "pull": Product(
        Jacobian.pull, forward_and_pull, "the bare network's forward pass and vector-Jacobian product together"
    ),
}


def bare_images_per_second(way: str, case: Case) -> Figure:
    """Call the bare network in ever larger batches."""
    with one_thread():
        value, how = best(case, way, forward).per_second, told(case, way)
    return at_least(f"bare_images_per_second.{way}", value, None, f"no_grad calls; {how}")


def compression_throughput_share(way: str, case: Case) -> Figure:
    """Measure compression beside the bare network."""
    size = case.size
    with one_thread():
        value = compression_share(case, way)
        how = (
            f"images x probes x steps per second of {_question(case)!r} ({size.images} images, {size.steps} steps of "
            f"DDPM; anchors not counted) over images per second of no_grad calls; {told(case, way)} pairs in turns"
        )
    return at_least(f"compression_throughput_share.{way}", value, 0.9, how)


@cache
def compression_share(case: Case, way: str) -> float:
    """Return the share of the bare network's throughput that measuring compression keeps."""
    size, batch, question = case.size, grey(case.size.images), _question(case)
    purifier, noise = case.purifier(way, size.steps), Noise(0, batch.image_ids)
    asked = size.images * size.probes * size.steps
    return share(case, way, forward, lambda: question(purifier, batch, noise), asked)


def product_throughput_share(kind: str, way: str, case: Case) -> Figure:
    """Push or pull vectors beside the bare network."""
    size, batch, one = case.size, grey(case.size.images), PRODUCTS[kind]
    noise = Noise(0, batch.image_ids)
    with one_thread():
        jacobian = Jacobian(case.purifier(way, size.steps).pin(noise, SHAPE), batch.images)
        vectors = normal_vectors(jacobian, noise, size.vectors)
        asked = size.images * size.vectors * size.steps
        value = share(case, way, one.ask, lambda: one.product(jacobian, vectors), asked)
        how = (
            f"images x vectors x steps per second of a {kind} ({size.images} images, {size.vectors} vectors, "
            f"{size.steps} steps of DDPM, their states computed beforehand) over images per second of {one.unit}; "
            f"{told(case, way, one.ask)} pairs in turns"
        )
    return at_least(f"{kind}_throughput_share.{way}", value, None, how)


def compiled_speedup(way: str, case: Case) -> Figure:
    """Call the network compiled and not, at the bare network's best batch; compilation is not counted."""
    with one_thread():
        plain, compiled = (_call_seconds(way, case, compiled=compiled) for compiled in (False, True))
        how = f"time of no_grad calls over that of the same compiled by torch, larger is better; {told(case, way)}"
    return at_least(f"compiled_speedup.{way}", plain / compiled, None, how)


def _call_seconds(way: str, case: Case, *, compiled: bool) -> float:
    predictor, batch = WAYS[way].predictor(case.network), grey(best(case, way, forward).batch).images
    assert isinstance(predictor, Quick)
    module = replace(predictor, compiled=compiled).module(batch.device, batch.dtype)
    return median_seconds(partial(forward, module, batch), case.size.repeats)


def _question(case: Case) -> Compression:
    return Compression(radii=(RADIUS,), probes=case.size.probes)
