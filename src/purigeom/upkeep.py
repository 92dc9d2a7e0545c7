"""What the commands that look after stores do, as functions that return the text to print."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from purigeom import store
from purigeom.rechecking import measured_again

_OWN = "Objects of your own are asked from Python, by purigeom.rechecking.measured_again(store, share, known=[...])."


def checked(root: str) -> tuple[str, bool]:
    """Return everything that is wrong with a store, a line each, and whether any of it does harm."""
    findings = store.verify(_there(root))
    lines = [f"{finding.path}: {finding.problem}" for finding in findings]
    cured = sum(finding.cured and not finding.harmless for finding in findings)
    remedy = f", of which --repair drops {cured} for the next run to answer again" if cured else ""
    return "\n".join([*lines, f"{root}: {_counted(findings)}{remedy}"]), _harm(findings)


def repaired(root: str) -> tuple[str, bool]:
    """Drop what is broken in a store; return what was found, a line each, and whether any harm is left."""
    findings = store.repair(_there(root))
    lines = [f"{'dropped' if finding.cured else 'left'}: {finding.path}: {finding.problem}" for finding in findings]
    left = [finding for finding in findings if not finding.cured]
    again = "; run again to answer what was dropped" if _harm(findings) and len(left) < len(findings) else ""
    return "\n".join([*lines, f"{root}: {_counted(left)}{again}"]), _harm(left)


def merged(target: str, sources: Sequence[str]) -> str:
    """Bring the finished units of other stores into one; return how many it has now."""
    before = _units(target)
    home = store.merge(target, *sources)
    after = _units(target)
    return f"{home}: {after} units done, {after - before} of them new"


def asked_again(root: str, share: float, seed: int) -> Iterator[tuple[str, bool]]:
    """Measure a share of a store's units again; yield a line for each, and whether it is not what is stored.

    The last line counts them. What could not be asked does no harm: nothing is known against it.
    """
    found = []
    for one in measured_again(_there(root), share, seed):
        found.append(one)
        yield str(one), bool(one.problem)
    other, unasked = sum(bool(one.problem) for one in found), sum(bool(one.unasked) for one in found)
    apart = f"; {unasked} could not be asked, which says nothing of what is stored. {_OWN}" if unasked else ""
    yield f"{root}: {len(found) - unasked} measured again, {other} of them with another answer{apart}", False


def _units(root: str) -> int:
    return sum(len(progress.done) for progress in store.progress_of(root))


def _there(root: str) -> store.Place:
    """Return a place; raise where there is no folder."""
    there = store.place(root)
    if isinstance(there, Path) and not there.is_dir():
        msg = f"There is no store at {root}."
        raise FileNotFoundError(msg)
    return there


def _harm(findings: Sequence[store.Finding]) -> bool:
    return not all(finding.harmless for finding in findings)


def _counted(findings: Sequence[store.Finding]) -> str:
    harmless = sum(finding.harmless for finding in findings)
    return f"{len(findings) - harmless} problems" + (f" and {harmless} harmless leftovers" if harmless else "")
