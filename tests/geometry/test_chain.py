import pytest
import torch
from torch.func import jacrev, jvp, vjp, vmap

from purigeom.geometry.chain import Chain, ReplayError, check_replay

WEIGHT = torch.linspace(-1, 1, 36, dtype=torch.float64).reshape(6, 6).cos()
STEPS = tuple((lambda state, scale=scale: torch.tanh(state @ WEIGHT) * scale) for scale in (1.0, 1.5, 0.7, 2.0))
IMAGES = torch.linspace(-1, 1, 18, dtype=torch.float64).reshape(3, 6)


def whole_graph(images):
    for step in STEPS:
        images = step(images)
    return images


def gradient(image_map, images):
    images = images.clone().requires_grad_()
    image_map(images).square().sum().backward()
    return images.grad


def test_a_chain_applies_its_steps_in_order() -> None:
    assert torch.equal(Chain(STEPS)(IMAGES), whole_graph(IMAGES))
    assert Chain(())(IMAGES) is IMAGES


def test_backward_gives_the_gradient_of_the_whole_graph() -> None:
    assert torch.equal(gradient(Chain(STEPS), IMAGES), gradient(whole_graph, IMAGES))


def test_a_chain_is_differentiable_by_torch_func() -> None:
    chain, probes = Chain(STEPS), torch.eye(6, dtype=torch.float64)[:, None].expand(6, 3, 6)
    torch.testing.assert_close(jacrev(chain)(IMAGES), jacrev(whole_graph)(IMAGES))
    pushed = vmap(lambda probe: jvp(chain, (IMAGES,), (probe,))[1])(probes)
    torch.testing.assert_close(pushed, vmap(lambda probe: jvp(whole_graph, (IMAGES,), (probe,))[1])(probes))
    torch.testing.assert_close(vmap(vjp(chain, IMAGES)[1])(probes), vmap(vjp(whole_graph, IMAGES)[1])(probes))


def test_second_derivatives_are_exact() -> None:
    def curvature(image_map):
        images = IMAGES.clone().requires_grad_()
        (first,) = torch.autograd.grad(image_map(images).square().sum(), images, create_graph=True)
        return torch.autograd.grad(first.square().sum(), images)[0]

    torch.testing.assert_close(curvature(Chain(STEPS)), curvature(whole_graph))


def test_a_step_that_hides_randomness_is_found_out() -> None:
    calls = iter(range(100))
    wandering = Chain((STEPS[0], lambda state: state + next(calls), STEPS[1]))
    with pytest.raises(RuntimeError, match=r"Chain step 2 .* hides randomness"):
        gradient(wandering, IMAGES)


def test_a_chain_whose_answer_is_not_used_gives_no_gradient_error() -> None:
    images = IMAGES.clone().requires_grad_()
    Chain(STEPS)(images)
    images.sum().backward()
    assert torch.equal(images.grad, torch.ones_like(images))


def test_the_graph_holds_states_only() -> None:
    saved = []

    def keep(tensor):
        saved.append(tensor.numel())
        return tensor

    wide = torch.randn(6, 600, dtype=torch.float64)
    steps = tuple(lambda state: torch.tanh(torch.tanh(state @ wide) @ wide.T) for _ in range(10))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        Chain(steps)(IMAGES.clone().requires_grad_())
    assert sum(saved) <= (len(steps) + 1) * IMAGES.numel()


def test_what_is_no_number_both_times_is_no_reason_to_lose_the_other_images() -> None:
    broken = torch.tensor([[torch.nan, torch.inf], [1.0, 2.0]])
    check_replay(0, broken, broken.clone())
    check_replay(0, broken, broken + torch.tensor([[0.0], [1e-6]]))
    for other in (broken + torch.tensor([[0.0], [0.1]]), broken.nan_to_num(0), broken.flip(0)):
        with pytest.raises(ReplayError):
            check_replay(0, broken, other)
