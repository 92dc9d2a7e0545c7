"""An attack, what it is told of the defence, and the gradients it takes: all that survival depends on."""

from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import ClassVar, Protocol, runtime_checkable

from torch import Tensor

from purigeom.defence.gradients import Exact, Gradient
from purigeom.defence.knowledge import Fixed, Knowledge
from purigeom.defence.target import Target
from purigeom.geometry.displacement import Norm
from purigeom.noise import Noise
from purigeom.protocols import Batch

LABELLED = frozenset(
    {"steps", "norm", "loss", "losses", "restarts", "copies", "operators", "targets", "queries", "distance", "suite"}
)
"""Settings that attacks say in their own labels."""


@runtime_checkable
class Attack(Protocol):
    """A search, near the clean images, for images that a defence gets wrong.

    Laws: it stays in its ball and in [0, 1]; it depends on its noise, its target and the image alone, not on the other
    images of the batch; it judges nothing.
    """

    @property
    def label(self) -> str:
        """Return the short name under which results are stored and drawn."""
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
        return f"{self.attack.label}{_unusual(self.attack)}, {self.knowledge.label}, {self.gradient.label}"


def told(attack: "Attack | Adversary") -> Adversary:
    """Return an adversary as it is, and an attack as one that knows the configuration and differentiates exactly."""
    return attack if isinstance(attack, Adversary) else Adversary(attack)


def _unusual(attack: Attack) -> str:
    """Return the settings that an attack's own label leaves out, where they are not the default ones."""
    if not is_dataclass(attack):
        return ""
    differing = [
        field.name
        for field in fields(attack)
        if field.name not in LABELLED and field.default is not MISSING and getattr(attack, field.name) != field.default
    ]
    settings = [f"{name} {getattr(attack, name)!r}" for name in differing]
    return f" ({', '.join(settings)})" if settings else ""
