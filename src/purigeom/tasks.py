"""Tasks, and the units of work that are left of them once a store was asked what it has."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from purigeom.excerpt import excerpt
from purigeom.identity import digest, fields, recipe
from purigeom.images import ids_of
from purigeom.protocols import ImageSet, Measurement, RandomMap, declaration
from purigeom.schema import SCHEMA_VERSION
from purigeom.store.places import Place
from purigeom.store.plan import Plan, Question, Row, difference, folder_name, to_json
from purigeom.store.reading import Progress, progress_of
from purigeom.store.segment import create

IMAGES_PER_UNIT = 128
_VERIFIED_AMONG = IMAGES_PER_UNIT
"""Every unit takes along as many of a task's first images: on some of them, purifiers are verified."""
FLOATS = ("float32", "float64")
SEEDS = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Task:
    """One purifier, one question, some images: everything that decides the answer."""

    purifier_name: str
    purifier: RandomMap
    measurement: Measurement
    images: ImageSet
    seed: int = 0
    dtype: str = "float32"

    def __post_init__(self) -> None:
        if self.dtype not in FLOATS:
            msg = f"Task.dtype must be one of {FLOATS}; got {self.dtype!r}."
            raise ValueError(msg)
        if not isinstance(self.seed, int) or self.seed not in SEEDS:
            msg = f"Task.seed must be a whole number of at most 64 bits, which a store can hold; got {self.seed!r}."
            raise ValueError(msg)

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
    """Of images in memory, it has no more than the unit asks for."""
    segment: Place
    row: int
    block: int
    places: slice
    """Where the block's images are among those of the task."""
    device: str
    subject: str
    """A name for what is verified of the purifier before anything of it is stored: it, and how images reach it."""

    @property
    def place(self) -> tuple[Place, int, int]:
        """Return where the unit's answer belongs: a segment, a row and a block."""
        return self.segment, self.row, self.block


def plan_units(tasks: list[Task], root: Place, device: str) -> list[Unit]:
    """Give every task a row in the store, old or new, and return the units that are not answered.

    Nothing is written unless the store can hold all of the tasks.
    """
    units, plans = foreseen(tasks, root, device)
    for plan in plans:
        create(root, plan)
    return units


def foreseen(tasks: list[Task], root: Place, device: str) -> tuple[list[Unit], list[Plan]]:
    """Return the units that are not answered, and what the segments will hold that they need; write nothing."""
    stored = progress_of(root)
    rows = _rows(tasks)
    _refuse_other_purifiers(rows, stored, root)
    groups: dict[str, dict[str, Task]] = {}
    for task in tasks:
        groups.setdefault(task.measurement.label, {})[task.purifier_name] = task
    segments = {label: _segments(label, tasks, rows, stored, root) for label in groups}
    units = [unit for label, group in groups.items() for unit in _missing(group, segments[label], device)]
    return units, [progress.plan for group in segments.values() for progress in group if progress not in stored]


def _segments(
    label: str, tasks: list[Task], rows: dict[str, Row], stored: list[Progress], root: Place
) -> list[Progress]:
    """Return the segments that answer a measurement's tasks, the last one perhaps still to be created."""
    group = [task for task in tasks if task.measurement.label == label]
    question = _one_question(group)
    segments = [progress for progress in stored if progress.plan.label == label]
    segments = [progress for progress in segments if progress.done or progress.plan.question == question]
    for progress in segments:
        _refuse_other_question(question, progress, root)
    there = {row.purifier for progress in segments for row in progress.plan.rows}
    new = tuple(rows[name] for name in dict.fromkeys(task.purifier_name for task in group) if name not in there)
    if not new:
        return segments
    ids = ids_of(group[0].images)
    if not ids:
        msg = f"There is nothing to measure: {group[0].images!r} holds no image."
        raise ValueError(msg)
    plan = Plan(label, question, ids, IMAGES_PER_UNIT, new, len(segments))
    return [*segments, Progress(root / folder_name(label, to_json(plan)), plan, frozenset())]


def _missing(group: dict[str, Task], segments: list[Progress], device: str) -> Iterator[Unit]:
    """Yield the unanswered units of the tasks; a purifier that is in two segments counts in the first."""
    placed = {
        row.purifier: (progress, place)
        for progress in reversed(segments)
        for place, row in enumerate(progress.plan.rows)
    }
    asked: dict[tuple[int, int, int], tuple[ImageSet, slice]] = {}  # shared by all purifiers, so that it is sent once
    for name, task in group.items():
        progress, place = placed[name]
        question = progress.plan.question
        subject = digest([progress.plan.rows[place].recipe, question.images, question.seed, question.dtype])
        for block in range(progress.plan.blocks):
            if (place, block) not in progress.done:
                whole = progress.plan.places(block)
                which = id(task.images), whole.start, whole.stop
                if which not in asked:
                    asked[which] = excerpt(task.images, whole, _VERIFIED_AMONG)
                images, places = asked[which]
                its = replace(task, images=images)
                yield Unit(its, progress.segment, place, block, places, device, subject)


def _rows(tasks: list[Task]) -> dict[str, Row]:
    """Return every purifier by its name; raise if two share one."""
    purifiers = {(task.purifier_name, id(task.purifier)): task for task in tasks}
    rows: dict[str, Row] = {}
    for (name, _), task in purifiers.items():
        row = task.row()
        if rows.setdefault(name, row) != row:
            msg = f"Two purifiers of these tasks are named {name!r}. Give each a name of its own."
            raise ValueError(msg)
    return rows


def _one_question(group: list[Task]) -> Question:
    """Return the question that all tasks of a measurement share; raise if they ask several."""
    asked = {(id(task.measurement), id(task.images), task.seed, task.dtype): task for task in group}
    questions = [task.question for task in asked.values()]
    other = next((question for question in questions if question != questions[0]), None)
    if other:
        msg = f"One store holds one question per measurement; these tasks ask two: {difference(questions[0], other)}."
        raise ValueError(msg)
    return questions[0]


def _refuse_other_question(question: Question, progress: Progress, root: Place) -> None:
    if question != progress.plan.question:
        msg = (
            f"The store {root} answers another {progress.plan.label!r} question and will not be overwritten: "
            f"{difference(progress.plan.question, question)}. Choose another folder, or ask what it answers."
        )
        raise ValueError(msg)


def _refuse_other_purifiers(rows: dict[str, Row], stored: list[Progress], root: Place) -> None:
    for row in [row for progress in stored for row in progress.plan.rows if row.purifier in rows]:
        if row.recipe != rows[row.purifier].recipe:
            was, now = row.recipe["description"], rows[row.purifier].recipe["description"]
            told = f"it is {was}, now it would be {now}" if was != now else f"{was}, of other weights or other code"
            msg = (
                f"The store {root} holds another purifier named {row.purifier!r} and will not be overwritten: {told}. "
                "Choose another name or folder."
            )
            raise ValueError(msg)
