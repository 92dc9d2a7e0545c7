"""Tasks, and the units of work that are left of them once a store was asked what it has."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from purigeom.identity import digest, fields, recipe
from purigeom.protocols import ImageSet, Measurement, RandomMap, declaration
from purigeom.schema import SCHEMA_VERSION
from purigeom.store.plan import Plan, Question, Row
from purigeom.store.reading import Progress, progress_of
from purigeom.store.segment import create

IMAGES_PER_UNIT = 128


@dataclass(frozen=True)
class Task:
    """One purifier, one question, some images: everything that decides the answer."""

    purifier_name: str
    purifier: RandomMap
    measurement: Measurement
    images: ImageSet
    seed: int = 0
    dtype: str = "float32"

    @property
    def key(self) -> str:
        """Return a name that changes whenever anything that decides the answer does."""
        return digest([SCHEMA_VERSION, vars(self.question), recipe(self.purifier)])

    @property
    def question(self) -> Question:
        """Return the task without its purifier."""
        return Question(recipe(self.measurement), recipe(self.images), self.seed, self.dtype)

    def row(self) -> Row:
        """Return the purifier as the store describes it."""
        said = declaration(self.purifier)
        return Row(
            self.purifier_name,
            recipe(self.purifier),
            said.family,
            said.network,
            said.differentiability,
            fields(self.purifier),
        )


@dataclass(frozen=True)
class Unit:
    """One task's work on one block of its images, and where its answer belongs."""

    task: Task
    segment: Path
    row: int
    block: int
    places: slice
    device: str
    verify: bool = False


def plan_units(tasks: list[Task], root: Path, device: str) -> list[Unit]:
    """Give every task a row in the store, old or new, and return the units that are not answered.

    The first unit of every purifier is marked to have the purifier's contract verified.
    """
    groups: dict[str, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.measurement.label, []).append(task)
    stored = progress_of(root) if root.exists() else []
    units: list[Unit] = []
    for label, group in groups.items():
        earlier = [progress for progress in stored if progress.plan.label == label]
        units += _group_units(group, earlier, root, device)
    first = {unit.task.purifier_name: index for index, unit in reversed(list(enumerate(units)))}
    return [replace(unit, verify=first[unit.task.purifier_name] == index) for index, unit in enumerate(units)]


def _group_units(group: list[Task], earlier: list[Progress], root: Path, device: str) -> Iterator[Unit]:
    """Yield the missing units of the tasks that ask one measurement's question."""
    question = _one_question(group)
    for progress in earlier:
        _refuse_other_question(question, progress, root)
    rows = {task.purifier_name: task.row() for task in group}
    placed = {row.purifier: (progress, place) for progress in earlier for place, row in enumerate(progress.plan.rows)}
    new = tuple(row for name, row in rows.items() if name not in placed)
    if new:
        ids = group[0].images.load().image_ids
        plan = Plan(group[0].measurement.label, question, ids, IMAGES_PER_UNIT, new)
        begun = Progress(create(root, plan), plan, frozenset())
        placed |= {row.purifier: (begun, place) for place, row in enumerate(new)}
    for task in group:
        progress, place = placed[task.purifier_name]
        plan = progress.plan
        _refuse_other_purifier(rows[task.purifier_name], plan.rows[place], root)
        for block in range(plan.blocks):
            if (place, block) not in progress.done:
                yield Unit(task, progress.segment, place, block, plan.places(block), device)


def _one_question(group: list[Task]) -> Question:
    """Return the question that all tasks of a measurement share; raise if they ask several."""
    asked = {(id(task.measurement), id(task.images), task.seed, task.dtype): task for task in group}
    questions = [task.question for task in asked.values()]
    other = next((question for question in questions if question != questions[0]), None)
    if other:
        msg = f"One store holds one question per measurement; these tasks ask two: {_difference(questions[0], other)}."
        raise ValueError(msg)
    named: dict[str, RandomMap] = {}
    for task in group:
        if recipe(named.setdefault(task.purifier_name, task.purifier)) != recipe(task.purifier):
            msg = f"Two purifiers of these tasks are named {task.purifier_name!r}. Give each a name of its own."
            raise ValueError(msg)
    return questions[0]


def _refuse_other_question(question: Question, progress: Progress, root: Path) -> None:
    if question != progress.plan.question:
        difference = _difference(progress.plan.question, question)
        msg = (
            f"The store {root} answers another {progress.plan.label!r} question and will not be overwritten: "
            f"{difference}. Choose another folder, or ask what it answers."
        )
        raise ValueError(msg)


def _refuse_other_purifier(row: Row, stored: Row, root: Path) -> None:
    if row.recipe != stored.recipe:
        msg = (
            f"The store {root} holds another purifier named {row.purifier!r} and will not be overwritten: it is "
            f"{stored.recipe}, now it would be {row.recipe}. Choose another name or folder."
        )
        raise ValueError(msg)


def _difference(first: Question, second: Question) -> str:
    left, right = asdict(first), asdict(second)
    return "; ".join(f"{name} {left[name]} against {right[name]}" for name in left if left[name] != right[name])
