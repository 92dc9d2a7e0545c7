"""Ask questions about purifiers: each task once, resumed where it stopped, here or in other processes."""

import errno
import json
import logging
import socket
from collections.abc import Iterable, Sequence
from pathlib import Path

import xarray as xr
from torch import Tensor

from purigeom.answering import answer, checked_derivatives, exact_arithmetic, verify_contract
from purigeom.aside import without_broken
from purigeom.executors import Executor, Lost, in_process
from purigeom.executors.protocol import sentence
from purigeom.images import checked
from purigeom.measurements.compression import Compression
from purigeom.measurements.distances import Distances
from purigeom.noise import Noise
from purigeom.progress import shown
from purigeom.protocols import Batch, ImageSet, Measurement, RandomMap, differentiates
from purigeom.provenance import made_by
from purigeom.schema import validate
from purigeom.store.places import Place, place
from purigeom.store.segment import RefusedError
from purigeom.tasks import Task, Unit, plan_units
from purigeom.unanswered import UnansweredError, summary, without_stored

__all__ = ["Task", "UnansweredError", "measure", "run"]

DEFAULT_MEASUREMENTS = (Compression(radii=(8 / 255,)), Distances())
REFUSALS = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM),
    *(errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH),
)
"""What a disk says that is full or takes no writes, and a network without a server: every answer would be lost."""
_LOG = logging.getLogger(__name__)


def run(
    tasks: Iterable[Task],
    root: Place | str,
    executor: Executor = in_process,
    *,
    device: str = "cpu",
    quiet: bool = False,
) -> Place:
    """Answer every task that the store at `root` does not answer yet; return `root` for `store.load`.

    One task's failure costs no other its answer. It is told at the end, with those of all others.

    Raises
    ------
    ValueError
        Where the store holds answers to another question, or another purifier, under the same name. At the end, as
        `UnansweredError`, where units could not be answered: whose, why and by what recipe.
    OSError
        Where the store is on a disk that takes no more, or on no server, which would refuse all further answers too.
    """
    root = place(root)
    there = root.absolute() if isinstance(root, Path) else root  # workers may have another working directory
    units = plan_units(list(tasks), there, device)
    lost: list[Lost[Unit]] = []
    for outcome in shown(executor(_attempted, units), len(units), "measuring", quiet=quiet):
        if isinstance(outcome, RefusedError):
            raise outcome
        if outcome is not None:
            lost.append(outcome)
    lost = without_stored(lost, there)
    if lost:
        raise UnansweredError(summary(lost, len(units), root), lost)
    return root


def _attempted(unit: Unit) -> Lost[Unit] | RefusedError | None:
    """Answer a unit; return what went wrong, as an error of the store where it will refuse every other unit too."""
    try:
        answer(unit)
    except Exception as error:
        _LOG.info("%s, %s: %s", unit.task.purifier_name, unit.task.measurement.label, error, exc_info=True)
        if isinstance(error, RefusedError) and _lasting(error):
            return error
        return Lost(unit, sentence(error))
    return None


def _lasting(error: BaseException | None) -> bool:
    """Return whether a store that says this, or was told this, will take no other answer either."""
    if error is None:
        return False
    told = isinstance(error, socket.gaierror) or (isinstance(error, OSError) and error.errno in REFUSALS)
    return told or _lasting(error.__cause__ or error.__context__)


def measure(
    purifier: RandomMap,
    images: Tensor | Batch | ImageSet,
    measurements: Sequence[Measurement] = DEFAULT_MEASUREMENTS,
    *,
    labels: Tensor | None = None,
    seed: int = 0,
) -> xr.Dataset:
    """Answer questions about one purifier at once, in memory, where and in the type the images are.

    Parameters
    ----------
    purifier
        Any object with `pin`; its contract is verified first, and so are its derivatives where a question uses them.
    images
        Images in [0, 1] of shape (image, channel, row, column), a batch, or an image set.
    measurements
        The questions: compression at linf radius 8/255 and distances unless given.
    labels
        Class indices, for measurements that attack.
    seed
        The seed of all randomness.

    Returns
    -------
    xr.Dataset
        One fact per image, draw, ...; `purigeom.estimates` gives means with their standard errors. Its attribute
        `derivatives` says how these were made, where a question uses them.
    """
    batch = as_batch(images, labels)
    noise = Noise(seed, checked(batch).image_ids)
    told: dict[str, str] = {}

    def measured(batch: Batch, noise: Noise) -> xr.Dataset:
        verify_contract(purifier, batch, noise)
        if any(differentiates(question) for question in measurements):
            told["derivatives"] = checked_derivatives(purifier, batch, noise)
        answers = [validate(question(purifier, batch, noise)) for question in measurements]
        return xr.merge(answers, join="outer", compat="no_conflicts")

    with exact_arithmetic():
        facts, broken = without_broken(measured, batch, noise)
        made = json.dumps(made_by(str(batch.images.device)) | ({"broken": broken} if broken else {}))
    asked = {question.label: repr(question) for question in measurements} | told
    return facts.assign_attrs(purifier=repr(purifier), **asked, seed=seed, made_by=made)


def as_batch(images: Tensor | Batch | ImageSet, labels: Tensor | None = None) -> Batch:
    """Return images of any kind as a batch; those of a tensor are known by their places.

    Examples
    --------
    >>> import torch
    >>> as_batch(torch.zeros(2, 1, 4, 4)).image_ids
    (0, 1)
    """
    if labels is not None and not isinstance(images, Tensor):
        msg = "labels belong beside a tensor of images; this image set has labels of its own."
        raise ValueError(msg)
    if isinstance(images, Tensor):
        return Batch(images, labels, tuple(range(len(images))))
    return images if isinstance(images, Batch) else images.load()
