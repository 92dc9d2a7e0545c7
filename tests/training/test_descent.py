"""Claims about the steps of a training: what is stopped goes on, bit for bit, and nothing foreign is gone on with."""

import pickle
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss
from torch.optim.lr_scheduler import LambdaLR

from purigeom.noise import Noise
from purigeom.training.classifier import triangle
from purigeom.training.descent import Keep, Run, Training, train
from purigeom.training.hardware import Hardware
from purigeom.training.recipe import Recipe, adam

STEPS = 7
IMAGES = Noise(0, tuple(range(8))).uniform_like(torch.zeros(8, 3, 6, 6))


class StoppedError(Exception):
    """Raised by a watch to stop a training, as a kill would."""


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Dropout(0.5), nn.Conv2d(8, 3, 1))


def with_adam() -> Training:
    return adam(network(), Recipe(STEPS, 1e-2), average_decay=0.9)


def with_momentum() -> Training:
    trained = network()
    optimiser = torch.optim.SGD(trained.parameters(), 0.1, momentum=0.85, nesterov=True, weight_decay=1e-3)
    return Training(trained, optimiser, LambdaLR(optimiser, triangle(STEPS)), average_decay=0.9, clip=None)


def trained(training: Training, run: Run = Run()) -> Training:  # noqa: B008  a frozen description
    def loss(step: int) -> torch.Tensor:
        shift = Noise(0, tuple(range(8)), ("train", step)).normal_like(IMAGES)
        return mse_loss(training.network(IMAGES + shift), IMAGES)

    train(training, loss, STEPS, run)
    return training


def stop_after(steps: int, step: int, pace: float, network: nn.Module) -> None:
    if step == steps:
        raise StoppedError


def stopped(training: Training, keep: Keep, steps: int) -> None:
    with pytest.raises(StoppedError):
        trained(training, Run(Hardware(), keep, partial(stop_after, steps)))
    torch.manual_seed(99)  # whoever goes on has another past


def tensors(thing) -> list[torch.Tensor]:
    """Return all tensors and numbers in a state, in order."""
    if isinstance(thing, dict):
        return [one for part in thing.values() for one in tensors(part)]
    if isinstance(thing, list | tuple):
        return [one for part in thing for one in tensors(part)]
    return [torch.as_tensor(thing)] if isinstance(thing, torch.Tensor | int | float) else []


@pytest.mark.parametrize("begin", [with_adam, with_momentum])
@pytest.mark.parametrize("steps", [1, 4])
def test_a_training_that_was_stopped_ends_where_an_undisturbed_one_does(begin, steps, tmp_path) -> None:
    undisturbed = trained(begin())
    keep = Keep(tmp_path / "state.pt", seconds=0)
    stopped(begin(), keep, steps)
    found = trained(begin(), Run(keep=keep))
    kept, expected = tensors(found.state()), tensors(undisturbed.state())
    assert len(kept) == len(expected) > 20
    assert all(torch.equal(one, other) for one, other in zip(kept, expected, strict=True))
    averages = (one.average.state_dict()["1.running_mean"] for one in (found, undisturbed))
    assert torch.equal(*averages)


def test_a_training_that_ended_is_not_taken_further(tmp_path) -> None:
    run = Run(keep=Keep(tmp_path / "state.pt"))
    ended = trained(with_adam(), run)
    again = trained(with_adam(), replace(run, watch=lambda *_: pytest.fail("a step was taken")))
    assert again.step == STEPS
    assert all(torch.equal(*pair) for pair in zip(again.result.parameters(), ended.result.parameters(), strict=True))


def test_the_state_is_kept_only_when_it_is_time(tmp_path) -> None:
    keep = Keep(tmp_path / "state.pt", seconds=1000)
    stopped(with_adam(), keep, 4)
    assert not keep.file.exists()
    trained(with_adam(), Run(keep=keep))
    assert torch.load(keep.file, weights_only=True)["step"] == STEPS


def test_a_kept_state_with_foreign_code_is_refused(tmp_path) -> None:
    class Trap:
        def __reduce__(self):
            return pytest.fail, ("pickled code ran",)

    file = tmp_path / "state.pt"
    for write in (torch.save, lambda trap, target: target.write_bytes(pickle.dumps(trap))):
        write({"step": 1, "network": Trap()}, file)
        with pytest.raises(ValueError, match=r"state\.pt must hold the state of a training.*Remove it"):
            trained(with_adam(), Run(keep=Keep(file)))


def test_a_part_of_a_state_that_a_kill_left_is_not_taken_for_one(tmp_path, monkeypatch) -> None:
    keep = Keep(tmp_path / "state.pt", seconds=0)
    stopped(with_adam(), keep, 2)
    whole = keep.file.read_bytes()

    def killed(state, file) -> None:
        file.write_bytes(whole[: len(whole) // 2])
        raise StoppedError

    with monkeypatch.context() as patched:
        patched.setattr(torch, "save", killed)
        with pytest.raises(StoppedError):
            trained(with_adam(), Run(keep=keep))
    assert keep.file.read_bytes() == whole
    left = [file for file in tmp_path.iterdir() if file != keep.file]
    assert [file.stat().st_size for file in left] == [len(whole) // 2]
    expected = trained(with_adam())
    found = trained(with_adam(), Run(keep=keep))
    assert all(torch.equal(*pair) for pair in zip(found.result.parameters(), expected.result.parameters(), strict=True))


def test_who_watches_hears_of_every_step_and_how_fast_they_come() -> None:
    heard = []
    ended = trained(with_adam(), Run(watch=lambda *said: heard.append(said)))
    assert [step for step, _, _ in heard] == list(range(1, STEPS + 1))
    assert all(pace > 0 for _, pace, _ in heard)
    assert heard[-1][2] is ended.average


def test_the_network_s_average_is_kept_and_not_its_last_step() -> None:
    found = trained(with_adam())
    slow, fast = (one.state_dict() for one in (found.result, found.network))
    assert not torch.equal(slow["0.weight"], fast["0.weight"])
    assert torch.equal(slow["1.running_mean"], fast["1.running_mean"])
    assert not found.result.training


def test_without_an_average_the_network_itself_is_kept() -> None:
    training = adam(network(), Recipe(STEPS, 1e-2))
    assert trained(training).result is training.network


def test_a_state_of_another_recipe_is_not_gone_on_with(tmp_path) -> None:
    keep = Keep(tmp_path / "state.pt", seconds=0)
    stopped(with_adam(), keep, 2)
    other = adam(network(), Recipe(STEPS, 1e-2, seed=1), average_decay=0.9)
    with pytest.raises(ValueError, match=r"seed=0.*this one is .*seed=1"):
        trained(other, Run(keep=keep))
