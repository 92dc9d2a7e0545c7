"""What a segment of the store is going to hold: one question, its images, and a row per purifier."""

import json
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


def difference(first: Question, second: Question) -> str:
    """Return what two questions do not share."""
    left, right = asdict(first), asdict(second)
    return "; ".join(f"{name} {left[name]} against {right[name]}" for name in left if left[name] != right[name])
