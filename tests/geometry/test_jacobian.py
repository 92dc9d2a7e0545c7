import pytest
import torch
from torch.func import jacrev

from purigeom.geometry.chain import Chain
from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.spectrum.dense import dense_jacobian, singular_values

SHAPE = (1, 3, 3)
WEIGHTS = torch.randn(2, 9, 9, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
IMAGES = torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def layer(weight):
    return lambda images: torch.tanh(images.flatten(1) @ weight.T).reshape(images.shape)


CHAIN = Chain((layer(WEIGHTS[0]), layer(WEIGHTS[1])))


@pytest.mark.parametrize("image_map", [CHAIN, CHAIN.__call__], ids=["chain", "function"])
def test_push_and_pull_are_adjoint(image_map) -> None:
    jacobian = Jacobian(image_map, IMAGES)
    tangents, cotangents = torch.rand(2, 5, *IMAGES.shape, dtype=torch.float64)
    pushed, pulled = jacobian.push(tangents), jacobian.pull(cotangents)
    torch.testing.assert_close((cotangents * pushed).sum((2, 3, 4)), (pulled * tangents).sum((2, 3, 4)))


def test_a_dense_jacobian_is_jacrev_s_whatever_the_block() -> None:
    expected = torch.stack([jacrev(CHAIN)(image[None]).reshape(9, 9) for image in IMAGES])
    for probes_at_once in (1, 4, 64):
        torch.testing.assert_close(dense_jacobian(Jacobian(CHAIN, IMAGES), probes_at_once), expected)


def test_singular_values_are_those_the_matrix_was_made_with() -> None:
    planted = torch.linspace(2, 0.01, 9, dtype=torch.float64)
    left, right = (torch.linalg.qr(weight)[0] for weight in WEIGHTS)
    matrix = left @ torch.diag(planted) @ right
    found = singular_values(Jacobian(lambda images: (images.flatten(1) @ matrix.T).reshape(images.shape), IMAGES))
    torch.testing.assert_close(found, planted.expand(4, 9))


def test_no_gradient_state_leaks_from_a_product() -> None:
    jacobian = Jacobian(CHAIN, IMAGES)
    assert not jacobian.push(IMAGES[None]).requires_grad
    assert not jacobian.pull(IMAGES[None]).requires_grad
