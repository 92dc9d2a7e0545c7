"""Every benchmark of large stores runs at a tiny size and prints a valid line; what it measures there means nothing."""

import pytest

from benchmarks import large_store, parts
from benchmarks.figure import print_line
from tests.figures import check_line, here


@pytest.fixture(autouse=True)
def published_units(monkeypatch):
    monkeypatch.setattr("purigeom.tasks.IMAGES_PER_UNIT", large_store.IMAGES_PER_UNIT)


@pytest.mark.parametrize("name", ["bytes_per_fact", "lazy_memory_share", "resume_seconds", "info_seconds"])
def test_a_figure_of_a_large_store_prints_a_valid_line(name, capsys, monkeypatch):
    monkeypatch.setattr(large_store, "in_fresh_process", here)
    print_line(getattr(large_store, name)(purifiers=2, blocks=2))
    check_line(capsys.readouterr().out, name)


@pytest.mark.parametrize("name", ["part_write_seconds.4", "part_read_seconds.0.6", "part_one_image_ms.128"])
def test_a_figure_of_the_size_of_parts_prints_a_valid_line(name, capsys, monkeypatch):
    monkeypatch.setattr(parts, "NUMBERS", 10)
    parts.main([name])
    check_line(capsys.readouterr().out, name)


def test_facts_that_are_written_are_the_facts_that_are_counted(tmp_path):
    facts = large_store.fill(tmp_path, purifiers=2, blocks=1)
    assert large_store.store.load(tmp_path).compression_ratio.size == facts == 2 * 128 * 4 * 50
