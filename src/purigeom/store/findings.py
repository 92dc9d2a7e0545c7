"""What can be wrong with an array, as far as headers and names tell it without reading a number."""

import json
from collections.abc import Collection
from dataclasses import dataclass

from purigeom.store.arrays import FILE, chunks_of, dims_of, header_problem
from purigeom.store.places import PARTIAL, Place, files, read
from purigeom.store.plan import Plan
from purigeom.store.presence import PLANNED, SEAL
from purigeom.store.shards import chunk_of

Unit = tuple[int, int]
"""A row and a block."""


@dataclass(frozen=True)
class Finding:
    """Something wrong with a store, where, and what `repair` does about it: nothing, unless it says so."""

    path: Place
    problem: str
    harmless: bool = False
    drops: tuple[Place, ...] = ()
    """What is deleted, in that order: seals before what they vouch for."""
    laid_out_anew: Place | None = None
    """The segment whose plan says how this must look."""

    @property
    def cured(self) -> bool:
        """Return whether `repair` does anything about it."""
        return bool(self.drops or self.laid_out_anew)


def found_in(array: Place, plan: Plan, done: Collection[Unit]) -> list[Finding]:
    """Return what is wrong with an array of a segment whose units are done."""
    content, names = read(array / FILE), files(array)
    chunks = {name for name in names if name.startswith("c.") and not name.endswith(PARTIAL)}
    if content is None:
        return _without_header(array, chunks, done)
    problem = header_problem(content) or _misfit(content, plan)
    if problem:
        return [_broken_header(array, problem, done)]
    wanted = chunks_of(dims_of(content), done)
    lost = [broken_chunk(array, name, wanted[name], "it is missing", done) for name in wanted if name not in chunks]
    return [*lost, *_unsealed(array, len(chunks - set(wanted)))]


def _misfit(content: bytes, plan: Plan) -> str | None:
    """Return what in a header is not as the plan of its segment says."""
    header = json.loads(content)
    sizes = {"purifier": len(plan.rows), "image": len(plan.image_ids), "block": plan.blocks}
    units = {"purifier": 1, "image": plan.images_per_unit, "block": 1} if len(header["shape"]) > 1 else {}
    for dim, size, chunk in zip(header["dimension_names"], header["shape"], chunk_of(header), strict=True):
        if size != sizes.get(dim, size) or chunk != units.get(dim, chunk):
            return f"its header claims {size} along {dim!r} in chunks of {chunk}, which is not what its segment plans"
    return None


def _without_header(array: Place, chunks: set[str], done: Collection[Unit]) -> list[Finding]:
    """Return what it means that an array has no header: where units are done it had one."""
    if array.name in PLANNED or (chunks and done):
        return [_broken_header(array, "its header is missing", done)]
    left = "left over from a run that was stopped before it was an array; it can be deleted"
    return [Finding(array, left, harmless=True, drops=(array,))] if chunks else []


def _broken_header(array: Place, problem: str, done: Collection[Unit]) -> Finding:
    """Return the finding for an array's header: its plan, or the first unit once it is answered again, writes it."""
    if array.name in PLANNED:
        return Finding(array, problem, laid_out_anew=array.parent)
    return Finding(array, problem, drops=(*_first_seal(array, done), array / FILE))


def broken_chunk(array: Place, name: str, unit: Unit | None, problem: str, done: Collection[Unit]) -> Finding:
    """Return the finding for a chunk: its unit is answered again; for labels, the first unit is."""
    chunk = array / name
    if array.name == SEAL:
        return Finding(chunk, problem, drops=(chunk,))
    if array.name in PLANNED:
        return Finding(chunk, problem, laid_out_anew=array.parent)
    seals = (seal_of(array.parent, *unit),) if unit else _first_seal(array, done)
    return Finding(chunk, problem, drops=(*seals, chunk))


def seal_of(segment: Place, row: int, block: int) -> Place:
    """Return the file that says that a unit is done."""
    return segment / SEAL / f"c.{row}.{block}"


def _first_seal(array: Place, done: Collection[Unit]) -> tuple[Place, ...]:
    return (seal_of(array.parent, *min(done)),) if done else ()


def _unsealed(array: Place, count: int) -> list[Finding]:
    left = f"{count} chunks of units that were stopped before they were sealed; harmless, the next run overwrites them"
    return [Finding(array, left, harmless=True)] if count else []
