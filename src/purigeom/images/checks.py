"""What every image set shares: splits, the checks of images, the digest of a batch."""

import hashlib
from collections.abc import Iterable
from itertools import chain
from typing import Literal, TypeAlias

from purigeom.protocols import Batch

Split: TypeAlias = Literal["train", "test"]
DIGESTED_AT_ONCE = 1024
"""Images that are held at the same time, and in double precision, for their digest."""


def checked(batch: Batch) -> Batch:
    """Return the batch; raise unless it holds finite float images in [0, 1], (image, channel, row, column)."""
    images, ids = batch.images, batch.image_ids
    if images.dim() != 4 or not images.is_floating_point():
        msg = (
            "Images must be floats of shape (image, channel, row, column); got "
            f"{str(images.dtype).removeprefix('torch.')} of shape {tuple(images.shape)}."
        )
        raise ValueError(msg)
    if len(ids) != len(images) or len(set(ids)) != len(ids):
        msg = f"Every image needs an id of its own; got {len(set(ids))} distinct ids for {len(images)} images."
        raise ValueError(msg)
    if not ids:
        msg = "There are no images to measure; the batch or slice is empty."
        raise ValueError(msg)
    if batch.labels is not None and len(batch.labels) != len(images):
        msg = f"Every image needs a label, or none has one; got {len(batch.labels)} for {len(images)} images."
        raise ValueError(msg)
    finite = images.isfinite().flatten(1).all(1)
    if not finite.all():
        msg = f"Images must be finite; image {ids[int((~finite).nonzero()[0])]} holds NaN or infinity."
        raise ValueError(msg)
    inside = ((images >= 0) & (images <= 1)).flatten(1).all(1)
    if not inside.all():
        first = int((~inside).nonzero()[0])
        low, high = images[first].min().item(), images[first].max().item()
        msg = f"Images must lie in [0, 1]; image {ids[first]} spans {low:.4g} to {high:.4g}. Rescale it, say by 1/255."
        raise ValueError(msg)
    return batch


def batch_digest(batch: Batch) -> str:
    """Return the sha256 of a batch's images, labels and ids."""
    return batches_digest(batch.image_ids, [batch])


def batches_digest(ids: tuple[int, ...], batches: Iterable[Batch]) -> str:
    """Return the sha256 of the batch that some batches, at least one, make one after another."""
    waiting = iter(batches)
    first = next(waiting)
    total = hashlib.sha256(repr(((len(ids), *first.images.shape[1:]), ids)).encode())
    labels = b""
    for batch in chain([first], waiting):
        for images in batch.images.detach().split(DIGESTED_AT_ONCE):
            total.update(images.cpu().double().contiguous().numpy().tobytes())
        if batch.labels is not None:
            labels += batch.labels.detach().cpu().long().contiguous().numpy().tobytes()
    total.update(labels)
    return total.hexdigest()
