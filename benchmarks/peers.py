"""What others offer for a push through a chain; all agree with `Jacobian.push`, at another price."""

import torch
from torch import Tensor
from torch.func import jvp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from purigeom.geometry.chain import Chain
from purigeom.geometry.jacobian import Jacobian
from purigeom.protocols import ImageMap


def torch_func(jacobian: Jacobian, tangents: Tensor) -> Tensor:
    """Push by torch.func's vmap(jvp), step by step from the stored states: the best that its users write."""
    chain, along = _chain(jacobian), _stacked(jacobian, tangents)
    for step, state in zip(chain.steps, jacobian.states, strict=False):
        along = _pushed(step, state, along)
    return _columns(along)


def whole_chain(jacobian: Jacobian, tangents: Tensor) -> Tensor:
    """Push by vmap(jvp) of the chain as one function, as curvlinops' Jacobian does for parameters."""
    return _columns(_pushed(_chain(jacobian), jacobian.images, _stacked(jacobian, tangents)))


def autograd_functional(jacobian: Jacobian, tangents: Tensor) -> Tensor:
    """Push one vector after another by differentiating twice backward through the graph of the whole chain."""
    chain = _chain(jacobian)

    def purified(images: Tensor) -> Tensor:
        return chain.states(images)[-1]

    along = [
        torch.autograd.functional.jvp(purified, jacobian.images, tangent)[1] for tangent in _stacked(jacobian, tangents)
    ]
    return _columns(torch.stack(along))


@torch.no_grad()
def _pushed(step: ImageMap, state: Tensor, along: Tensor) -> Tensor:
    with sdpa_kernel(SDPBackend.MATH):
        return vmap(lambda tangent: jvp(step, (state,), (tangent,))[1])(along)


def _chain(jacobian: Jacobian) -> Chain:
    assert isinstance(jacobian.image_map, Chain)
    return jacobian.image_map


def _stacked(jacobian: Jacobian, tangents: Tensor) -> Tensor:
    """Return vectors of shape (image, dimension, vector) as images, vector by vector."""
    return tangents.movedim(-1, 0).reshape(-1, *jacobian.images.shape)


def _columns(along: Tensor) -> Tensor:
    return along.flatten(2).movedim(0, -1)
