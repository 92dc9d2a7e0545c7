"""Take the steps of a training, and lose nothing when it is stopped."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from purigeom.progress import shown
from purigeom.training.hardware import Hardware


@dataclass
class Training:
    """A network on its way: with `state`, all that a stop must not lose.

    Parameters
    ----------
    network, optimiser, rate
        What is trained, how, and the schedule of its learning rate.
    average_decay
        The decay of the network's running average; none is kept without it.
    clip
        Longer gradients are shortened to this length.
    recipe
        What a kept state must be of to be gone on with.
    """

    network: nn.Module
    optimiser: Optimizer
    rate: LRScheduler
    average_decay: float | None = None
    clip: float | None = 1.0
    recipe: str = ""
    step: int = 0

    def __post_init__(self) -> None:
        self.average = None if self.average_decay is None else copy.deepcopy(self.network).eval()

    @property
    def result(self) -> nn.Module:
        """Return the network to be kept: the running average where there is one."""
        return self.network if self.average is None else self.average

    def state(self) -> dict[str, Any]:
        """Return tensors and numbers from which `restore` goes on bit for bit."""
        parts: dict[str, Any] = {
            "network": self.network,
            "optimiser": self.optimiser,
            "rate": self.rate,
            "average": self.average,
        }
        kept = {name: part.state_dict() for name, part in parts.items() if part is not None}
        return {"step": self.step, "recipe": self.recipe, "generators": _generators(self.network), **kept}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from an earlier state of the same recipe."""
        if state["recipe"] != self.recipe:
            msg = (
                f"A kept training can be gone on with by its own recipe, {state['recipe'] or 'none'}; this one is "
                f"{self.recipe or 'none'}. Remove the kept state to train from the start."
            )
            raise ValueError(msg)
        self.step = state["step"]
        _restore_generators(self.network, state["generators"])
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.rate.load_state_dict(state["rate"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])

    def descend(self, loss: Tensor) -> None:
        """Take one step down the gradient of a loss."""
        self.optimiser.zero_grad()
        loss.backward()
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)
        self.optimiser.step()
        self.rate.step()
        self.step += 1
        if self.average is not None and self.average_decay is not None:
            _follow(self.average, self.network, min(self.average_decay, self.step / (self.step + 9)))


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move an average towards its network; what is counted and not learnt is the network's own."""
    for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - decay)
    for kept, new in zip(average.buffers(), network.buffers(), strict=True):
        kept.copy_(new)


def _generators(network: nn.Module) -> dict[str, Tensor]:
    """Return the states of torch's own generators that dropout draws from."""
    device = next(network.parameters()).device
    placed = {"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {}
    return {"cpu": torch.get_rng_state(), **placed}


def _restore_generators(network: nn.Module, generators: dict[str, Tensor]) -> None:
    torch.set_rng_state(generators["cpu"])
    device = next(network.parameters()).device
    if device.type == "cuda":
        torch.cuda.set_rng_state(generators["cuda"], device)


@dataclass(frozen=True)
class Keep:
    """Where a training keeps its state, and after how many seconds again."""

    file: Path
    seconds: float = 180

    def load(self, training: Training) -> None:
        """Go on from the kept state, if there is one."""
        if not self.file.is_file():
            return
        try:
            state = torch.load(self.file, map_location="cpu", weights_only=True)
        except Exception as error:
            msg = (
                f"{self.file} must hold the state of a training, tensors and numbers only; {type(error).__name__}: "
                f"{str(error).partition(chr(10))[0]} Pickled code is never run. Remove it to train from the start."
            )
            raise ValueError(msg) from error
        training.restore(state)

    def save(self, training: Training) -> None:
        """Replace the kept state, in one move."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        partial = self.file.with_suffix(".partial")
        torch.save(training.state(), partial)
        partial.replace(self.file)


Watch: TypeAlias = Callable[[int, float, nn.Module], None]


@dataclass(frozen=True)
class Run:
    """What a training runs on, where it is kept, and who hears of it.

    `watch`, if given, is called after every step with the steps taken, the steps per second and the network so far. A
    progress bar calls the training by its name; without one there is no bar.
    """

    hardware: Hardware = Hardware()
    keep: Keep | None = None
    watch: Watch | None = None
    name: str = ""


QUIETLY = Run()


def train(training: Training, loss: Callable[[int], Tensor], count: int, run: Run = QUIETLY) -> nn.Module:
    """Train until `count` steps are taken; return the network to be kept.

    The loss is a function of the step alone, so that a training that was stopped goes on as if it never was.
    """
    if run.keep is not None:
        run.keep.load(training)
    first, start = training.step, time.perf_counter()
    saved = start
    training.network.train()
    left = range(training.step, count)
    for _ in shown(left, len(left), run.name, quiet=not run.name):
        training.descend(loss(training.step))
        now = time.perf_counter()
        if run.keep is not None and (now - saved > run.keep.seconds or training.step == count):
            run.keep.save(training)
            saved = now
        if run.watch is not None:
            run.watch(training.step, (training.step - first) / (now - start), training.result)
    return training.result
