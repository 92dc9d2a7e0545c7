"""An attack, what it is told of the defence, and the gradients it takes: all that survival depends on."""

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from torch import Tensor

from purigeom.defence.gradients import Exact, Gradient
from purigeom.defence.knowledge import Fixed, Knowledge
from purigeom.defence.target import Target
from purigeom.geometry.displacement import Norm
from purigeom.noise import Noise
from purigeom.protocols import Batch


@runtime_checkable
class Attack(Protocol):
    """A search, near the clean images, for images that a defence gets wrong.

    Laws: it stays in its ball and in [0, 1]; it depends on its noise, its target and the image alone, not on the other
    images of the batch; it judges nothing.
    """

    @property
    def label(self) -> str:
        """Return the short name under which results are stored and drawn: settings that differ have other names."""
        ...

    @property
    def norm(self) -> Norm:
        """Return the norm of its radius."""
        ...

    def __call__(self, target: Target, batch: Batch, noise: Noise, radius: float) -> Tensor:
        """Return one adversarial image per clean image, no further than `radius` from it and in [0, 1]."""
        ...


@dataclass(frozen=True)
class Adversary:
    """An attack with its knowledge and its gradients, such as PGD with EOT by BPDA."""

    version: ClassVar[int] = 1
    attack: Attack
    knowledge: Knowledge = Fixed()
    gradient: Gradient = Exact()

    @property
    def label(self) -> str:
        return f"{self.attack.label}, {self.knowledge.label}, {self.gradient.label}"


def told(attack: "Attack | Adversary") -> Adversary:
    """Return an adversary as it is, and an attack as one that knows the configuration and differentiates exactly."""
    return attack if isinstance(attack, Adversary) else Adversary(attack)
