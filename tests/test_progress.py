"""Claims about what a run says while it runs."""

import re
import sys
from itertools import count

import pytest

from purigeom import progress
from purigeom.progress import LINES, shown
from purigeom.sweep import run
from tests.toys import toy_tasks

LINE = re.compile(r"measuring: (\d+) of (\d+) units in (\d+) s, about (\d+) s left")


@pytest.mark.parametrize("total", [1, 7, 10, 11, 95, 1000])
def test_plain_lines_count_to_the_end_and_are_few(capsys, total):
    assert list(shown(range(total), total, "measuring")) == list(range(total))
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert 1 <= len(lines) <= LINES
    done = [int(LINE.fullmatch(line)[1]) for line in lines]
    assert done == sorted(set(done))
    assert done[-1] == total


def test_what_is_left_is_foreseen_from_what_is_done(capsys, monkeypatch):
    ticks = count(step=3)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(ticks))
    list(shown(range(4), 4, "measuring"))
    assert [tuple(map(int, LINE.fullmatch(line).groups())) for line in capsys.readouterr().err.splitlines()] == [
        (1, 4, 3, 9),
        (2, 4, 6, 6),
        (3, 4, 9, 3),
        (4, 4, 12, 0),
    ]


def test_a_quiet_run_says_nothing(capfd, tmp_path):
    run(toy_tasks(), tmp_path, quiet=True)
    assert capfd.readouterr() == ("", "")


def test_a_run_speaks_on_standard_error_alone(capfd, tmp_path):
    run(toy_tasks(), tmp_path)
    out, err = capfd.readouterr()
    assert out == ""
    assert LINE.match(err.splitlines()[-1])[1] == "3"


def test_a_run_with_nothing_to_do_says_nothing(capfd, tmp_path):
    run(toy_tasks(), tmp_path, quiet=True)
    run(toy_tasks(), tmp_path)
    assert capfd.readouterr() == ("", "")


def test_a_terminal_gets_a_bar_with_the_time_left(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert list(shown(range(5), 5, "measuring")) == list(range(5))
    bar = capsys.readouterr().err
    assert "\r" in bar
    assert "measuring: 100%" in bar
    assert "5/5" in bar
    assert re.search(r"\d\d:\d\d<\d\d:\d\d", bar)


def test_things_come_one_by_one(capsys):
    things = shown(count(), 5, "measuring")
    assert [next(things), next(things)] == [0, 1]
    assert "1 of 5" in capsys.readouterr().err
