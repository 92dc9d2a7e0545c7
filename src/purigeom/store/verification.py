"""Reading a whole store again, to know that every byte of it is what was written, and dropping what is not."""

import math

from purigeom.store.arrays import FILE, chunks_of, decoded_parts, dims_of, header_of, opened, put_all
from purigeom.store.findings import Finding, Unit, broken_chunk, found_in
from purigeom.store.limits import CHUNK_BYTES
from purigeom.store.places import PARTIAL, Place, files, folders, place, read, remove
from purigeom.store.plan import Plan
from purigeom.store.presence import PLANNED, SEAL, answered, plan_of, read_plan, segments, units
from purigeom.store.segment import contents, named_failures


def verify(root: Place | str) -> list[Finding]:
    """Return everything that is wrong with a store; an empty list is good news."""
    root = place(root)
    found = segments(root)
    findings = [] if found else [Finding(root, "holds no segment of a purigeom store")]
    for segment in found:
        findings += _in_segment(segment)
    return [*findings, *_partial(root)]


def repair(root: Place | str) -> list[Finding]:
    """Drop what is broken in a store, so that the next run answers it again; return everything that was found.

    What is not `cured` is left as it is: chunks that the next run overwrites, and segments that cannot be read, which
    a copy of their header may still heal, or which another version of purigeom wrote. No run may write into the store
    meanwhile.
    """
    findings = verify(root)
    for finding in findings:
        with named_failures(finding.path):
            if finding.laid_out_anew:
                put_all(finding.laid_out_anew, contents(read_plan(finding.laid_out_anew)))
            for thing in finding.drops:
                remove(thing)
    return findings


def _in_segment(segment: Place) -> list[Finding]:
    try:
        plan = plan_of(segment)
    except ValueError as error:
        return [Finding(segment, str(error))]
    if plan is None:
        left = "left over from a run that was stopped before it was a segment; it can be deleted"
        return [Finding(segment, left, harmless=True, drops=(segment,))]
    done = units(files(segment / SEAL), plan)
    findings = _partial(segment)
    for name in sorted([*answered(segment), *PLANNED]):
        findings += [*_in_array(segment / name, plan, done), *_partial(segment / name)]
    return findings


def _in_array(array: Place, plan: Plan, done: set[Unit]) -> list[Finding]:
    """Return what is wrong with an array, read as far as finished units wrote it."""
    found = found_in(array, plan, done)
    if any(finding.path == array and not finding.harmless for finding in found):
        return found
    try:
        dims = dims_of(header_of(array))
    except ValueError:
        return found
    if _readable(array, dims, done):
        return found
    wanted = chunks_of(dims, done)
    problems = ((name, _problem(array, name)) for name in wanted)
    return found + [broken_chunk(array, name, wanted[name], problem, done) for name, problem in problems if problem]


def _readable(array: Place, dims: list[str], done: set[Unit]) -> bool:
    """Return whether all of an array can be read, in as few readings as memory allows."""
    try:
        numbers = opened(array)
        if math.prod(numbers.shape[1:]) * numbers.dtype.itemsize > CHUNK_BYTES:
            return False
        for row in sorted({row for row, _ in done}) if len(dims) > 1 else [...]:
            numbers[row]
    except Exception:  # whatever damage makes the codecs raise
        return False
    return True


def _problem(array: Place, name: str) -> str | None:
    """Return what is wrong with a chunk that is there."""
    header, chunk = read(array / FILE), read(array / name)
    if header is None or chunk is None:
        return None
    try:
        for _ in decoded_parts(header, name, chunk):
            pass
    except Exception as error:
        return f"it cannot be read ({type(error).__name__}: {error})"
    return None


def _partial(folder: Place) -> list[Finding]:
    """Return what writers that were stopped left in a folder; versions before put whole folders this way."""
    left = "left over from a run that was stopped; it can be deleted"
    names = [name for name in [*folders(folder), *files(folder)] if name.endswith(PARTIAL)]
    return [Finding(folder / name, left, harmless=True, drops=(folder / name,)) for name in names]
