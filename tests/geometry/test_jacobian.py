import pytest
import torch
from torch.func import jacrev

from purigeom.geometry.chain import Chain
from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.spectrum.exact import dense, singular_triplets, singular_values

SHAPE = (1, 3, 3)
WEIGHTS = torch.randn(2, 9, 9, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
IMAGES = torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
VECTORS = torch.rand(2, 4, 9, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def layer(weight):
    return lambda images: torch.tanh(images.flatten(1) @ weight.T.to(images.dtype)).reshape(images.shape)


CHAIN = Chain((layer(WEIGHTS[0]), layer(WEIGHTS[1])))
DENSE = torch.stack([jacrev(CHAIN)(image[None]).reshape(9, 9) for image in IMAGES])


@pytest.mark.parametrize("image_map", [CHAIN, CHAIN.__call__], ids=["chain", "function"])
def test_products_are_those_of_jacrev_s_matrix(image_map) -> None:
    jacobian = Jacobian(image_map, IMAGES)
    torch.testing.assert_close(jacobian.push(VECTORS[0]), DENSE @ VECTORS[0])
    torch.testing.assert_close(jacobian.pull(VECTORS[1]), DENSE.mT @ VECTORS[1])


def test_push_and_pull_are_adjoint_to_rounding() -> None:
    jacobian = Jacobian(CHAIN, IMAGES)
    pushed, pulled = jacobian.push(VECTORS[0]), jacobian.pull(VECTORS[1])
    torch.testing.assert_close((VECTORS[1] * pushed).sum(1), (pulled * VECTORS[0]).sum(1), rtol=1e-12, atol=1e-12)


def test_a_map_to_fewer_numbers_has_a_rectangular_jacobian() -> None:
    jacobian = Jacobian(lambda images: images.flatten(1)[:, :4].square(), IMAGES)
    assert jacobian.shape == (4, 4, 9)
    assert jacobian.push(VECTORS[0]).shape == (4, 4, 5)
    torch.testing.assert_close(jacobian.pull(VECTORS[1][:, :4])[:, 4:], torch.zeros(4, 5, 5, dtype=torch.float64))


@pytest.mark.parametrize("vectors_at_once", [1, 4, 64])
def test_a_dense_jacobian_is_jacrev_s_whatever_the_block(vectors_at_once) -> None:
    torch.testing.assert_close(dense(Jacobian(CHAIN, IMAGES), vectors_at_once).values, DENSE)


@pytest.mark.parametrize("memory", [1, 5000, 2**30])
def test_products_do_not_depend_on_the_memory_allowed(memory) -> None:
    jacobian = Jacobian(CHAIN, IMAGES, memory=memory)
    assert jacobian.vectors_at_once() >= 1
    torch.testing.assert_close(jacobian.push(VECTORS[0]), DENSE @ VECTORS[0])
    torch.testing.assert_close(jacobian.pull(VECTORS[1]), DENSE.mT @ VECTORS[1])


def test_less_memory_means_fewer_vectors_at_once() -> None:
    counts = [Jacobian(CHAIN, IMAGES, memory=memory).vectors_at_once() for memory in (10**3, 10**4, 10**5)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_singular_values_are_those_the_matrix_was_made_with() -> None:
    planted = torch.linspace(2, 0.01, 9, dtype=torch.float64)
    left, right = (torch.linalg.qr(weight)[0] for weight in WEIGHTS)
    matrix = left @ torch.diag(planted) @ right
    jacobian = Jacobian(lambda images: (images.flatten(1) @ matrix.T).reshape(images.shape), IMAGES)
    torch.testing.assert_close(singular_values(jacobian), planted.expand(4, 9))
    found = singular_triplets(jacobian)
    torch.testing.assert_close(found.left * found.values.unsqueeze(1) @ found.right.mT, matrix.expand(4, 9, 9))
    assert found.residuals.max() < 1e-12


def test_no_gradient_state_leaks_from_a_product() -> None:
    jacobian = Jacobian(CHAIN, IMAGES)
    assert not jacobian.push(VECTORS[0]).requires_grad
    assert not jacobian.pull(VECTORS[1]).requires_grad


def test_vectors_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(image, dimension, vector\), here \(4, 9, one or more\); got \(5, 4, 9\)"):
        Jacobian(CHAIN, IMAGES).push(torch.ones(5, 4, 9))


def test_tangents_that_become_infinite_name_step_and_image() -> None:
    images = IMAGES.clone()
    images[2, 0, 1, 1] = 0
    rooted = Chain((lambda state: state + 0, torch.sqrt))
    for product in (Jacobian(rooted, images).push, Jacobian(rooted, images).pull):
        with pytest.raises(ValueError, match="in step 2 of 2, for image 2 of the batch"):
            product(VECTORS[0])


def test_a_network_in_half_precision_keeps_state_and_products_in_theirs() -> None:
    images, vectors = IMAGES.float(), VECTORS[0].float()
    narrow, full = (Jacobian(CHAIN, images, narrow=kind) for kind in (torch.bfloat16, None))
    assert torch.equal(narrow.states[-1], full.states[-1])
    for one, other in ((narrow.push, full.push), (narrow.pull, full.pull)):
        assert one(vectors).dtype == torch.float32
        gap = (one(vectors) - other(vectors)).norm() / other(vectors).norm()
        assert 1e-5 < gap < 2e-2


def test_half_precision_of_doubles_which_changes_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Jacobian.narrow=torch.bfloat16 changes nothing for torch.float64 images"):
        Jacobian(CHAIN, IMAGES, narrow=torch.bfloat16)


def test_no_images_are_refused() -> None:
    with pytest.raises(ValueError, match=r"at least one image; got images of shape \(0, 1, 3, 3\)"):
        Jacobian(CHAIN, IMAGES[:0])


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (lambda images: (images, images), "Step 2 of 2 must return a tensor of images; it returned tuple"),
        (lambda images: {"sample": images}, "Step 2 of 2 must return a tensor of images; it returned dict"),
        (lambda images: images.sum().item(), "Step 2 of 2 must return a tensor of images; it returned float"),
        (lambda images: images.sum(), r"one answer for each of 4 images; it returned shape \(\)"),
        (lambda images: images[:3], r"one answer for each of 4 images; it returned shape \(3, 1, 3, 3\)"),
    ],
    ids=["tuple", "dict", "number", "scalar", "fewer"],
)
def test_a_step_that_returns_no_images_is_named(answer, named) -> None:
    with pytest.raises((TypeError, ValueError), match=named):
        _ = Jacobian(Chain((torch.sin, answer)), IMAGES).shape


def test_products_are_derivatives_within_inference_mode_too() -> None:
    with torch.inference_mode():
        jacobian = Jacobian(CHAIN.__call__, IMAGES)
        torch.testing.assert_close(jacobian.push(VECTORS[0]), DENSE @ VECTORS[0])
        asking = Jacobian(Chain((CHAIN.__call__, lambda images: images.requires_grad_() * 2)), IMAGES)
        torch.testing.assert_close(asking.push(VECTORS[0]), 2 * DENSE @ VECTORS[0])


def test_a_map_that_forgets_its_input_has_a_jacobian_of_zero() -> None:
    jacobian = Jacobian(lambda images: torch.ones(len(images), 2, dtype=images.dtype), IMAGES)
    assert torch.equal(jacobian.push(VECTORS[0]), torch.zeros(4, 2, 5, dtype=torch.float64))


def test_routes_say_how_every_step_is_passed() -> None:
    mixed = Chain(
        (
            lambda state: torch.tanh(state) * 2,
            torch.special.erf,
            lambda state: state.new_zeros(4, 9).copy_(state.flatten(1)),
        )
    )
    rules, by_torch, whole = Jacobian(mixed, IMAGES).routes
    assert rules.rules.total() == 2
    assert not rules.by_torch
    assert list(by_torch.by_torch.elements()) == ["special_erf"]
    assert "copy_" in whole.whole
