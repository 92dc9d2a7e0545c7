"""What a run says at its end of units that it could not answer."""

from collections.abc import Sequence

from purigeom.executors import Lost
from purigeom.store.places import Place
from purigeom.store.reading import progress_of
from purigeom.tasks import Unit

SHOWN = 10
"""Number of reasons that a summary tells."""
SHOWN_BLOCKS = 3


class UnansweredError(ValueError):
    """Raised at the end of a run that could not answer some of its units; all others are stored."""

    def __init__(self, sentence: str, lost: Sequence[Lost[Unit]]) -> None:
        super().__init__(sentence)
        self.lost = tuple(lost)

    def __reduce__(self) -> tuple[type, tuple[str, tuple[Lost[Unit], ...]]]:
        return type(self), (self.args[0], self.lost)


def without_stored(lost: Sequence[Lost[Unit]], root: Place) -> list[Lost[Unit]]:
    """Return what the store lacks: a worker that was killed may have answered before it could say so."""
    done = {(progress.segment, *place) for progress in progress_of(root) for place in progress.done} if lost else set()
    return [one for one in lost if one.unit.place not in done]


def summary(lost: Sequence[Lost[Unit]], asked: int, root: Place) -> str:
    """Return how many units have no answer, and of each reason whose they are, by what recipe, and which blocks."""
    reasons: dict[tuple[str, str, str, str], list[int]] = {}
    for one in lost:
        task = one.unit.task
        reason = (task.purifier_name, task.measurement.label, repr(task.purifier), one.why)
        reasons.setdefault(reason, []).append(one.unit.block)
    lines = [
        f"  {name}, {label}, {_blocks(blocks)}: {why}\n    {recipe}"
        for (name, label, recipe, why), blocks in list(reasons.items())[:SHOWN]
    ]
    more = sum(len(blocks) for blocks in list(reasons.values())[SHOWN:])
    first = (
        f"{len(lost)} of {asked} units have no answer. Everything else is stored in {root}; where the fault is not the "
        "purifier's, run again: only these are asked for."
    )
    return "\n".join([first, *lines, *([f"  ... and {more} more"] if more else [])])


def _blocks(blocks: Sequence[int]) -> str:
    """Return which blocks of images, in few words.

    Examples
    --------
    >>> _blocks([0]), _blocks([4, 0, 1, 2, 3])
    ('block 0', 'blocks 0, 1, 2 and 2 more')
    """
    first = ", ".join(str(block) for block in sorted(blocks)[:SHOWN_BLOCKS])
    more = len(blocks) - SHOWN_BLOCKS
    return f"block{'s' if len(blocks) > 1 else ''} {first}" + (f" and {more} more" if more > 0 else "")
