"""How all singular values are spread, from a few random probes, by stochastic Lanczos quadrature."""

import torch
from torch import Tensor

from purigeom.geometry.matrices import Matrices, normal_vectors
from purigeom.geometry.spectrum.density import Density, density
from purigeom.noise import Noise


def lanczos_quadrature(matrices: Matrices, noise: Noise, probes: int, steps: int) -> Density:
    """Return the density of singular values as seen by random probes (Ubaru, Chen and Saad 2017).

    Every probe gives the Gauss rule of J'J by the bidiagonalisation of Golub and Kahan (1965), fully
    reorthogonalised; the rules of all probes count the same. As many singular values are counted as J has
    columns: those of directions that a wide matrix cannot but lose are zero.

    Parameters
    ----------
    matrices
        One matrix J per image.
    noise
        Draws the probes.
    probes
        How many random vectors to start from; the error of a smooth average falls with the square root of
        their number times the effective rank.
    steps
        How many nodes every probe gives. Probes go in lockstep: 2 steps - 1 batches of `probes` products.
    """
    if probes < 1 or steps < 1:
        msg = f"lanczos_quadrature needs at least one probe and one step; got probes={probes} and steps={steps}."
        raise ValueError(msg)
    _, rows, columns = matrices.shape
    steps = min(steps, columns, rows + 1)  # more steps than a Krylov space has dimensions add nothing
    bidiagonal = _bidiagonalise(matrices, normal_vectors(matrices, noise, probes), steps)
    nodes, weights = _gauss_rule(bidiagonal)
    return density(nodes.to(matrices.like.dtype), weights.to(matrices.like.dtype))


def _bidiagonalise(matrices: Matrices, start: Tensor, steps: int) -> Tensor:
    """Return upper bidiagonal matrices, (image, probe, step, step), each J seen from one start vector.

    When a Krylov space is exhausted its next vector is zero, and so are all later entries: the rule then
    gives the surplus nodes no weight.
    """
    images, rows, columns = matrices.shape
    probes = start.shape[-1]
    rights, lefts = (start.new_zeros(steps, images, size, probes) for size in (columns, rows))
    bidiagonal = start.new_zeros(images, probes, steps, steps)
    scale = start.new_zeros(images, probes)
    rights[0], _ = _unit(start, scale)
    for step in range(steps):
        lefts[step], length = _unit(_apart(matrices.push(rights[step]), lefts[:step]), scale)
        bidiagonal[..., step, step] = length
        scale = torch.maximum(scale, length)
        if step < steps - 1:
            rights[step + 1], length = _unit(_apart(matrices.pull(lefts[step]), rights[: step + 1]), scale)
            bidiagonal[..., step, step + 1] = length
            scale = torch.maximum(scale, length)
    return bidiagonal


def _apart(vectors: Tensor, basis: Tensor) -> Tensor:
    """Take from every probe's vector its part in that probe's basis (step, image, dimension, probe), twice."""
    for _ in range(2):
        overlap = torch.einsum("sidp,idp->sip", basis, vectors)
        vectors = vectors - torch.einsum("sidp,sip->idp", basis, overlap)
    return vectors


def _unit(vectors: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Return unit vectors and lengths; what is only rounding at the scale of the matrix becomes zero."""
    length = vectors.norm(dim=1)
    gone = length <= 10 * torch.finfo(vectors.dtype).eps * scale
    unit = (vectors / length.masked_fill(gone, 1).unsqueeze(1)).masked_fill(gone.unsqueeze(1), 0)
    return unit, length.masked_fill(gone, 0)


def _gauss_rule(bidiagonal: Tensor) -> tuple[Tensor, Tensor]:
    """Return nodes and weights, (image, node), of all probes' rules (Golub and Welsch 1969).

    Nodes without weight move to the largest one that has some: elsewhere they would bend the interpolation
    between their neighbours.
    """
    _, nodes, vectors = torch.linalg.svd(bidiagonal.double())
    nodes, weights = nodes.flatten(1), vectors[..., 0].square().flatten(1)
    counts = weights > torch.finfo(bidiagonal.dtype).eps
    return nodes.where(counts, nodes.where(counts, 0).amax(1, keepdim=True)), weights.where(counts, 0)
