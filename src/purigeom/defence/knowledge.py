"""What an attacker knows of a defence's randomness: which configurations it asks in a query."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, TypeAlias, get_args, runtime_checkable

from purigeom.noise import Noise

Average: TypeAlias = Literal["losses", "logits"]


@runtime_checkable
class Knowledge(Protocol):
    """The draws of a query, declared: a query asked again gets the same ones.

    Law: a judge's draws are never among them, save the configuration itself where the attacker knows it.
    """

    @property
    def label(self) -> str:
        """Return the words under which results are stored and drawn."""
        ...

    @property
    def average(self) -> Average:
        """Return whether losses are averaged over the draws of a query, or logits before the loss."""
        ...

    def draws(self, configuration: Noise, attacker: Noise, query: int) -> tuple[Noise, ...]:
        """Return the noise of every draw of a query; of no draw where the attacker sees no purifier."""
        ...


@dataclass(frozen=True)
class Fixed:
    """The attacker knows the configuration that it is judged by: what randomness hides is gone."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "fixed"
    average: ClassVar[Average] = "losses"

    def draws(self, configuration: Noise, attacker: Noise, query: int) -> tuple[Noise, ...]:
        del attacker, query
        return (configuration,)


@dataclass(frozen=True)
class Fresh:
    """Every query meets a new configuration: what an attack gets that does not know the defence is random."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "fresh"
    average: ClassVar[Average] = "losses"

    def draws(self, configuration: Noise, attacker: Noise, query: int) -> tuple[Noise, ...]:
        del configuration
        return (attacker.child("query", query),)


@dataclass(frozen=True)
class EOT:
    """Expectation over transformation (Athalye et al. 2018): every query averages over new configurations.

    Parameters
    ----------
    count
        Configurations per query.
    average
        Losses, as Lee and Kim do, or logits before the loss, as DiffPure's BPDA and foolbox do: their gradients differ.
    """

    version: ClassVar[int] = 1
    count: int = 20
    average: Average = "losses"

    def __post_init__(self) -> None:
        if not isinstance(self.count, int) or self.count < 1:
            msg = f"EOT.count must be a whole number of at least 1; got {self.count!r}."
            raise ValueError(msg)
        if self.average not in get_args(Average):
            msg = f"EOT.average must be one of {get_args(Average)}; got {self.average!r}."
            raise ValueError(msg)

    @property
    def label(self) -> str:
        return f"eot({self.count})" if self.average == "losses" else f"eot({self.count}, logits)"

    def draws(self, configuration: Noise, attacker: Noise, query: int) -> tuple[Noise, ...]:
        del configuration
        return tuple(attacker.child("query", query, "draw", draw) for draw in range(self.count))


@dataclass(frozen=True)
class Unaware:
    """The attacker sees the classifier alone, as in the MAEP paper: not an attack on the defence at all."""

    version: ClassVar[int] = 1
    label: ClassVar[str] = "unaware of the purifier"
    average: ClassVar[Average] = "losses"

    def draws(self, configuration: Noise, attacker: Noise, query: int) -> tuple[Noise, ...]:
        del configuration, attacker, query
        return ()
