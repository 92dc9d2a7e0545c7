"""What a segment of the store is going to hold: one question, its images, and a row per purifier."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from purigeom.identity import digest
from purigeom.schema import SCHEMA_VERSION


@dataclass(frozen=True)
class Question:
    """Everything that decides an answer except the purifier."""

    measurement: dict[str, Any]
    images: dict[str, Any]
    seed: int
    dtype: str


@dataclass(frozen=True)
class Row:
    """One purifier: its name in figures, its recipe, and how studies group it."""

    purifier: str
    recipe: dict[str, Any]
    family: str
    network: str | None
    differentiability: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """The header of a segment: what it will hold once every unit is answered.

    A question's first segment has the number zero; every later one, for purifiers that came later, one more.
    """

    label: str
    question: Question
    image_ids: tuple[int, ...]
    images_per_unit: int
    rows: tuple[Row, ...]
    number: int = 0
    schema: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        bad = next((name for name, sound in _checks(self) if not sound), None)
        if bad:
            msg = f"{bad} is not as purigeom writes it"
            raise TypeError(msg)

    @property
    def blocks(self) -> int:
        """Return how many units of work a row has."""
        return -(-len(self.image_ids) // self.images_per_unit)

    def places(self, block: int) -> slice:
        """Return the images of a block."""
        start = block * self.images_per_unit
        return slice(start, min(start + self.images_per_unit, len(self.image_ids)))


def folder_name(label: str, attributes: dict[str, Any]) -> str:
    """Return the name of a segment's folder: it holds the header's digest, so that a damaged header shows."""
    return f"{label}-{digest(attributes)}.zarr"


def to_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as the attributes of a zarr group."""
    content: dict[str, Any] = json.loads(json.dumps(asdict(plan)))
    return content


def from_json(attributes: dict[str, Any]) -> Plan:
    """Return the plan in a group's attributes."""
    question = Question(**attributes["question"])
    rows = tuple(Row(**row) for row in attributes["rows"])
    return Plan(**{**attributes, "question": question, "rows": rows, "image_ids": tuple(attributes["image_ids"])})


def _checks(plan: Plan) -> Iterator[tuple[str, bool]]:
    """Yield what everything that reads a plan relies on, and whether it is so."""
    asked, names = plan.question, [row.purifier for row in plan.rows]
    yield "label", isinstance(plan.label, str)
    yield "images_per_unit", _whole(plan.images_per_unit) and plan.images_per_unit > 0
    yield "number", _whole(plan.number)
    yield "seed", _whole(asked.seed)
    yield "dtype", isinstance(asked.dtype, str)
    yield "measurement", _is_recipe(asked.measurement)
    yield "images", _is_recipe(asked.images)
    yield "image_ids", all(map(_whole, plan.image_ids)) and len({*plan.image_ids}) == len(plan.image_ids)
    yield "purifier", all(isinstance(name, str) for name in names) and len({*names}) == len(names)
    for row in plan.rows:
        words = (row.family, row.differentiability, row.network or "")
        yield f"row {row.purifier!r}", all(isinstance(word, str) for word in words) and _is_recipe(row.recipe)
        yield f"fields of {row.purifier!r}", isinstance(row.fields, dict)
        depth = row.fields.get("depth", 0)
        yield f"depth of {row.purifier!r}", isinstance(depth, int | float)


def _whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and -(2**63) <= number < 2**63


def _is_recipe(thing: object) -> bool:
    return (
        isinstance(thing, dict) and isinstance(thing.get("description"), str) and isinstance(thing.get("content"), dict)
    )


def difference(first: Question, second: Question) -> str:
    """Return what two questions do not share."""
    left, right = asdict(first), asdict(second)
    return "; ".join(f"{name} {left[name]} against {right[name]}" for name in left if left[name] != right[name])
