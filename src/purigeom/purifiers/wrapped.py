"""A purifier made of anyone's `torch.nn.Module` or plain function."""

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import Module

from purigeom.cost import evaluated
from purigeom.noise import Noise
from purigeom.protocols import Classifier, Declaration, Differentiability, ImageMap, RandomMap

_SETTING = (bool, int, float, str, tuple, type(None))


@dataclass(frozen=True)
class Wrapped:
    """Purify with a stranger's function; made by `wrap`, and known by its name, source and weights.

    Parameters
    ----------
    name
        What to call it; its answers form a family of this name.
    source
        Digest of its source code, empty where that cannot be read.
    weights
        Digest of a module's tensors when it was wrapped, empty for a function.
    function
        The module or function itself.
    differentiability
        What its derivatives are worth; "none" for a black box, whose Jacobian is found by finite differences.
    """

    name: str
    source: str
    weights: str
    function: Callable[..., Tensor] = field(repr=False, compare=False)
    differentiability: Differentiability = "exact"

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if not self.name:
            msg = f"Wrapped.name must tell it from other functions; got {self.name!r}. Use wrap(..., name=...)."
            raise ValueError(msg)

    def content(self) -> str:
        """Return the digest of source and weights; raise where it says nothing, or no longer what it said."""
        if not self.source:
            msg = (
                f"Wrapped {self.name!r} cannot be stored: the source of its function or module cannot be read. Define "
                "it in a file; purigeom.measure takes it as it is."
            )
            raise TypeError(msg)
        if isinstance(self.function, Module) and _weights(self.function) != self.weights:
            msg = f"Wrapped {self.name!r} cannot be stored: its weights have changed since. Wrap it again."
            raise ValueError(msg)
        return _digest(self.source + self.weights)

    @property
    def declaration(self) -> Declaration:
        return Declaration(self.name, None, self.differentiability, range="unbounded")

    def load(self) -> ImageMap:
        """Return the function itself: what was wrapped may also be a classifier behind a purifier."""
        return self.function

    def pin(self, noise: Noise, image_shape: tuple[int, ...]) -> ImageMap:
        del image_shape

        def purify(images: Tensor) -> Tensor:
            if isinstance(self.function, Module):
                evaluated(len(images))
            if _takes_noise(self.function):
                return self.function(images, noise=noise.normal_like(images))
            return self.function(images)

        return purify


def wrap(
    function: Callable[..., Tensor], name: str | None = None, differentiability: Differentiability = "exact"
) -> Wrapped:
    """Make a purifier of a map of images, whose only randomness may be an argument called `noise`.

    That argument, where there is one, receives one standard normal per pixel. A module is known by its source,
    settings and weights of now; a function by its name, its source and the plain values it captured, not by the
    source of the functions it calls. What cannot be told apart is measured, but not stored. A function that is no
    torch code says so by `differentiability="none"`.

    Examples
    --------
    >>> wrap(torch.nn.Identity().eval()).name
    'Identity'
    """
    if not isinstance(function, Module):
        return Wrapped(name or "", _function_source(function), "", function, differentiability)
    if any(part.training for part in function.modules()):
        msg = (
            "wrap needs a module in evaluation mode, where images do not depend on each other; "
            f"{type(function).__name__}.training is True, for it or for a part. Call .eval() on it first."
        )
        raise ValueError(msg)
    source, weights = _module_source(function), _weights(function)
    return Wrapped(name or type(function).__name__, source, weights, function, differentiability)


def as_purifier(thing: RandomMap | Callable[..., Tensor]) -> RandomMap:
    """Return a purifier as it is, and a module or function wrapped under its own name."""
    return thing if isinstance(thing, RandomMap) else wrap(_callable(thing), getattr(thing, "__name__", None))


def as_classifier(thing: Classifier | Callable[..., Tensor]) -> Classifier:
    """Return a classifier as it is, and a module or function wrapped under its own name."""
    return thing if isinstance(thing, Classifier) else wrap(_callable(thing), getattr(thing, "__name__", None))


def _callable(thing: object) -> Callable[..., Tensor]:
    if not callable(thing):
        msg = f"A purifier has `pin`, a classifier `load`, or else it is called with images; got {thing!r}."
        raise TypeError(msg)
    return thing


def _takes_noise(function: Callable[..., Tensor]) -> bool:
    called = function.forward if isinstance(function, Module) else function
    try:
        return "noise" in inspect.signature(called).parameters
    except ValueError:  # some built-in functions have no signature
        return False


def _function_source(function: Callable[..., Tensor]) -> str:
    """Digest a function, its defaults and what it captured; empty where these are more than plain values."""
    plain = inspect.unwrap(function)
    if not inspect.isfunction(plain):
        return ""
    captured = [cell.cell_contents for cell in plain.__closure__ or ()]
    values = [*captured, *(plain.__defaults__ or ()), *(plain.__kwdefaults__ or {}).values()]
    if not _source(plain) or not all(isinstance(value, _SETTING) for value in values):
        return ""
    return _digest(_source(plain) + repr(values))


def _module_source(module: Module) -> str:
    """Digest classes and settings of all parts: Tanh is not ReLU, stride one not two; empty where that fails."""
    parts = [(path, _class_source(type(part)), _settings(part)) for path, part in module.named_modules()]
    known = all(source and settings is not None for _, source, settings in parts)
    return _digest(repr(parts)) if known else ""


def _class_source(kind: type) -> str:
    """Return the source of a class and of its bases outside torch, whose version is recorded anyway."""
    sources = [_source(base) for base in kind.__mro__ if base.__module__.split(".")[0] not in ("torch", "builtins")]
    return "\n".join(sources or [kind.__qualname__]) if all(sources) else ""


def _settings(module: Module) -> list[tuple[str, str]] | None:
    """Return what tells one part from another of its class; None where something in it cannot be told."""
    blank = vars(Module())
    settings = []
    for name, value in vars(module).items():
        if isinstance(value, _SETTING):
            settings.append((name, repr(value)))
        elif hasattr(value, "__qualname__") and not inspect.ismethod(value):
            settings.append((name, f"{value.__module__}.{value.__qualname__}"))
        elif name not in blank or ("hooks" in name and value):
            return None
    return sorted(settings)


def _source(thing: Callable[..., Tensor]) -> str:
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        return ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def _weights(module: Module) -> str:
    """Digest names, types, shapes and numbers of the state and of the buffers kept out of it."""
    summary = hashlib.sha256()
    for path, values in sorted((module.state_dict() | dict(module.named_buffers())).items()):
        summary.update(repr((path, values.dtype, tuple(values.shape))).encode())
        numbers = values.detach().cpu().flatten().contiguous().view(torch.uint8)
        summary.update(numbers.numpy().tobytes())
    return summary.hexdigest()
