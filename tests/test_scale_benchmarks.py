"""Every benchmark of scale runs at a tiny size and prints a valid line; what it measures there means nothing."""

from dataclasses import replace

import pytest

from benchmarks import efficiency, faults, large_store, scale
from benchmarks.figure import print_line
from purigeom.executors import in_process
from purigeom.sweep import run
from purigeom.tasks import Task
from tests.figures import check_line


@pytest.fixture(autouse=True)
def published_units(monkeypatch):
    monkeypatch.setattr("purigeom.tasks.IMAGES_PER_UNIT", large_store.IMAGES_PER_UNIT)


def test_the_overhead_of_an_executor_prints_a_valid_line(tmp_path, capsys) -> None:
    scale._asked(tmp_path, 1, in_process)  # what the first unit of a process costs would hide the others
    print_line(scale.task_overhead("in_process", few=1, many=40))
    check_line(capsys.readouterr().out, "task_overhead_ms.in_process")


def test_the_worth_of_a_second_worker_prints_a_valid_line(capsys, monkeypatch) -> None:
    monkeypatch.setattr(efficiency, "Processes", lambda _: in_process)
    monkeypatch.setattr(efficiency, "_bare", lambda root, _, *study: efficiency._alone(root, *study))
    print_line(efficiency.two_worker_efficiency(depths=(20,), images=1))
    check_line(capsys.readouterr().out, "two_worker_efficiency")


def test_every_kind_of_executor_has_its_figure(tmp_path) -> None:
    assert {f"task_overhead_ms.{name}" for name in scale.executors(tmp_path)} < set(scale.FIGURES)
    assert {"resume_seconds", "bytes_per_fact", "faults_injected", "answers_lost"} < set(scale.FIGURES)
    with pytest.raises(KeyError, match="There is no figure 'nothing'"):
        scale.main(["nothing"])


def test_what_is_lost_is_seen(tmp_path) -> None:
    tasks: list[Task] = faults.study(purifiers=3, images=4)
    whole, less = (run(tasks, tmp_path / name, in_process, quiet=True) for name in ("whole", "less"))
    assert faults.lost(less, whole) == (0, 6)
    faults.forget(less)
    assert faults.lost(less, whole) == (2, 6), "of two questions to three purifiers every second has no answer"


def test_what_has_another_value_or_another_key_is_seen(tmp_path) -> None:
    tasks: list[Task] = faults.study(purifiers=3, images=4)
    whole, other, seeded = (
        run(asked, tmp_path / name, in_process, quiet=True)
        for name, asked in (("whole", tasks), ("other", tasks), ("seeded", [replace(one, seed=1) for one in tasks]))
    )
    keys = {key for key, _ in faults.answers(whole)}
    assert keys == {task.key for task in tasks}
    (chunk,) = other.glob("compression-*.zarr/compression_ratio/c.1.*")
    chunk.write_bytes(chunk.read_bytes()[::-1])
    assert faults.lost(other, whole) == (1, 6)
    assert faults.lost(seeded, whole) == (6, 6)


@pytest.mark.slow
def test_the_figures_of_kills_print_valid_lines(capsys) -> None:
    for figure in (faults.faults_injected, faults.answers_lost):
        print_line(figure(1))
        check_line(capsys.readouterr().out, figure.__name__)
