"""Claims about what seals say: all of it where they are few, and what a sample of them says where they are many."""

from collections import Counter

import pytest

from benchmarks.large_store import seal
from purigeom import pace, store
from purigeom.store import bounded

ROWS, BLOCKS = 20, 10


@pytest.fixture
def many(tmp_path, small_units, monkeypatch):
    """Return a store of two hundred seals."""
    monkeypatch.setattr("benchmarks.large_store.IMAGES_PER_UNIT", 2)
    seal(tmp_path, ROWS, BLOCKS)
    return tmp_path


def test_few_seals_are_all_read(full):
    assert store.provenance(full, 9) == store.provenance(full)


def test_a_sample_of_seals_is_the_same_each_time_and_of_every_purifier_and_of_many_blocks(many):
    made = store.provenance(many, 2 * ROWS)
    assert made == store.provenance(many, 2 * ROWS)
    assert len({(one["purifier"], one["block"]) for one in made}) == 2 * ROWS
    assert set(Counter(one["purifier"] for one in made).values()) == {2}
    assert len({one["block"] for one in made}) > BLOCKS / 2, "the first block alone would be slower than most"


def test_where_there_are_fewer_seals_to_read_than_purifiers_not_only_the_first_are_asked(many):
    made = store.provenance(many, ROWS // 2)
    names = [row.purifier for row in store.progress_of(many)[0].plan.rows]
    assert len({one["purifier"] for one in made}) == ROWS // 2
    assert {one["purifier"] for one in made} & set(names[ROWS // 2 :])


def test_every_question_has_a_sample_of_its_own(full, many):
    assert Counter(one["question"] for one in store.provenance(store.merge(many, full), 5)) == {
        "distances": 5,
        "compression": 5,
    }


def test_the_pace_of_a_large_store_is_known_from_so_many_seals(many, monkeypatch):
    monkeypatch.setattr(pace, "SEALS", 50)
    read, refuse = [], bounded.refuse
    monkeypatch.setattr(bounded, "refuse", lambda *served: read.append(served) or refuse(*served))
    (found,) = pace.paces(many).values()
    assert len(found.purifiers) == ROWS
    assert sum(map(len, found.purifiers.values())) == len(read) == 50
