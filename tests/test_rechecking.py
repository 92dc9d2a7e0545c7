"""Claims about stores of which some answers are measured again."""

import sys

import pytest
import torch
import zarr

from purigeom import Task, run, store
from purigeom.__main__ import main
from purigeom.catalog import BASELINES
from purigeom.images import Digits, InMemory
from purigeom.measurements.compression import Compression
from purigeom.measurements.distances import Distances
from purigeom.purifiers.wrapped import wrap
from purigeom.rechecking import measured_again

QUESTIONS = (Compression((0.2,), probes=2), Distances())
NAMES = ("identity", "gaussian-noise", "median")


def half(images: torch.Tensor) -> torch.Tensor:
    return images / 2


MINE = wrap(half, name="mine")


def filled(root, **more):
    chosen = {name: BASELINES[name] for name in NAMES} | more
    tasks = [Task(name, one, asked, Digits()[:3]) for name, one in chosen.items() for asked in QUESTIONS]
    return run(tasks, root, quiet=True)


def spoilt(root, name, variable):
    """Write other numbers for one purifier, as a program other than purigeom might."""
    (progress,) = [one for one in store.progress_of(root) if (one.segment / variable).exists()]
    row = [row.purifier for row in progress.plan.rows].index(name)
    array = zarr.open_array(progress.segment / variable, mode="r+")
    array[row] = 2 * array[row]


def test_what_is_as_it_was_is_the_same_again(tmp_path) -> None:
    found = list(measured_again(filled(tmp_path), share=1))
    assert len(found) == len(NAMES) * len(QUESTIONS)
    assert not [str(one) for one in found if one.problem]


def test_a_number_that_is_not_what_is_measured_is_told_with_its_place(tmp_path) -> None:
    spoilt(filled(tmp_path), "median", "l2_distance")
    (wrong,) = [one for one in measured_again(tmp_path, share=1) if one.problem]
    assert (wrong.question, wrong.purifier, wrong.block) == ("distances", "median", 0)
    assert str(wrong).startswith("distances of median, block 0: l2_distance differs by up to")


def test_a_share_is_drawn_by_seed_and_is_never_nothing(tmp_path) -> None:
    filled(tmp_path)
    draws = {seed: [str(one) for one in measured_again(tmp_path, 1 / 3, seed)] for seed in (0, 1, 2)}
    assert {len(draw) for draw in draws.values()} == {2}
    assert draws[0] == [str(one) for one in measured_again(tmp_path, 1 / 3, 0)]
    assert len({tuple(draw) for draw in draws.values()}) > 1
    assert len(list(measured_again(tmp_path, 1e-9))) == 1


@pytest.mark.parametrize("share", [0, -1, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(tmp_path, share) -> None:
    with pytest.raises(ValueError, match="must be above 0 and at most 1; got"):
        list(measured_again(tmp_path, share))


def test_an_empty_store_is_named(tmp_path) -> None:
    with pytest.raises(ValueError, match="holds no finished unit to measure again"):
        list(measured_again(tmp_path, 1))


def test_a_stranger_s_purifier_cannot_be_asked_and_costs_no_other_its_turn(tmp_path) -> None:
    filled(tmp_path, mine=MINE)
    found = {(one.purifier, one.question): one for one in measured_again(tmp_path, share=1)}
    assert all(bool(one.unasked) == (name == "mine") for (name, _), one in found.items())
    assert not any(one.problem for one in found.values())
    assert "Give the object itself, from Python" in str(found["mine", "distances"])


def test_objects_of_one_s_own_are_asked_where_they_are_given(tmp_path) -> None:
    images = InMemory(Digits()[:3].load())
    run([Task("mine", MINE, asked, images) for asked in QUESTIONS], tmp_path, quiet=True)
    other = InMemory(Digits()[1:4].load())
    assert all(one.unasked for one in measured_again(tmp_path, share=1, known=[MINE, other]))
    found = [str(one) for one in measured_again(tmp_path, share=1, known=[MINE, images])]
    assert found == [f"{asked.label} of mine, block 0: the same again" for asked in QUESTIONS]
    spoilt(tmp_path, "mine", "l2_distance")
    (wrong,) = [one for one in measured_again(tmp_path, share=1, known=[MINE, images]) if one.problem]
    assert wrong.question == "distances"


def test_what_raises_by_now_is_a_problem(tmp_path, monkeypatch) -> None:
    filled(tmp_path)

    def broken(self, purifier, batch, noise):
        raise ArithmeticError(self.label)

    monkeypatch.setattr(Distances, "__call__", broken)
    problems = {one.problem for one in measured_again(tmp_path, share=1) if one.question == "distances"}
    assert problems == {"has no answer any more (ArithmeticError: distances)"}


def test_the_command_does_not_fail_where_somebody_cannot_be_asked(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["purigeom", "check", str(filled(tmp_path, mine=MINE)), "--again", "1"])
    with pytest.raises(SystemExit, match="0"):
        main()
    *_, last = capsys.readouterr().out.splitlines()
    counts = f"{len(NAMES) * len(QUESTIONS)} measured again, 0 of them with another answer; {len(QUESTIONS)} could not"
    assert last.startswith(f"{tmp_path}: {counts} be asked, which says nothing of what is stored. ")


def test_the_command_fails_only_where_an_answer_is_another(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["purigeom", "check", str(filled(tmp_path)), "--again", "1"])
    with pytest.raises(SystemExit, match="0"):
        main()
    assert capsys.readouterr().out.count("the same again") == len(NAMES) * len(QUESTIONS)
    spoilt(tmp_path, "identity", "compression_ratio")
    with pytest.raises(SystemExit, match="1"):
        main()
    out = capsys.readouterr().out
    assert "compression of identity, block 0: compression_ratio differs by up to 1" in out
    assert out.endswith(f"{tmp_path}: {len(NAMES) * len(QUESTIONS)} measured again, 1 of them with another answer\n")
