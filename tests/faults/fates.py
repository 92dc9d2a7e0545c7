"""Purifiers and questions that meet a fate at some image or some write; each can be sent to another process."""

import errno
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from purigeom.protocols import Declaration
from tests.toys import Moved

FATED = 104
"""The image at which it happens: it is in the third block, and no contract is verified on it."""
ROOM, WANTED = 2**28, 2**34
"""Bytes that a process may still take, and that it asks for."""
_WRITE = Path.write_bytes


def short_of_memory(allocate: Callable[[], object]) -> None:
    """Allocate while the kernel lets this process have little more memory than it has."""
    limits = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + ROOM, limits[1]))
    try:
        allocate()
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


def raising(error: Exception) -> Callable[[], None]:
    """Return a function that raises an error."""

    def fail() -> None:
        raise error

    return fail


FATES: dict[str, Callable[[], object]] = {
    "none": lambda: None,
    "raises": raising(ArithmeticError("this image is too much")),
    "numpy": lambda: short_of_memory(lambda: np.ones(WANTED, np.uint8)),
    "torch": lambda: short_of_memory(lambda: torch.ones(WANTED, dtype=torch.uint8)),
    "device": raising(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 16.00 GiB.")),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "forbidden": raising(PermissionError(errno.EACCES, "Permission denied", "weights.pt")),
    "full": raising(OSError(errno.ENOSPC, "No space left on device", "cache")),
}


@dataclass(frozen=True)
class Fated:
    """Halve images; meet a fate where the fated image is among them."""

    fate: str
    declaration: ClassVar[Declaration] = Declaration("toy", range="unbounded")

    def pin(self, noise, image_shape):
        if FATED in noise.image_ids:
            FATES[self.fate]()
        return lambda images: images / 2


@dataclass(frozen=True)
class Diverging:
    """Halve images; make NaN of the images from one on."""

    first: int
    declaration: ClassVar[Declaration] = Declaration("toy", range="unbounded")

    def pin(self, noise, image_shape):
        factor = torch.tensor([torch.nan if one >= self.first else 0.5 for one in noise.image_ids])
        return lambda images: images * factor.to(images)[:, None, None, None]


@dataclass(frozen=True)
class Filling(Moved):
    """Ask as `Moved` does; in every process that asks the disk takes so many files more, until there is room."""

    code: int = field(default=errno.ENOSPC, repr=False)
    files: int = field(default=0, repr=False)
    room: Path = field(default=Path(), repr=False)

    def __call__(self, purifier, batch, noise):
        if Path.write_bytes is _WRITE and not self.room.exists():
            Path.write_bytes = self.refusing()  # a worker's own: it ends with the run
        return super().__call__(purifier, batch, noise)

    def refusing(self):
        """Return what writes a few files more, and then refuses."""
        left = [None] * self.files

        def write(path, content):
            if not left:
                raise OSError(self.code, os.strerror(self.code), str(path))
            left.pop()
            return _WRITE(path, content)

        return write
