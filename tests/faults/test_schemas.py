"""Claims about stores of an older schema: every command says what to do, and touches nothing."""

import shutil
import sys
from dataclasses import replace

import pytest

from purigeom import __main__, store
from purigeom.schema import SCHEMA_VERSION
from purigeom.store.segment import create
from purigeom.sweep import run
from tests.store.contents import contents
from tests.toys import toy_tasks

OLDER = SCHEMA_VERSION - 1
SENTENCE = (
    f"follows store schema {OLDER}; this purigeom reads {SCHEMA_VERSION}. Use the version that wrote it (its seals in "
    "made_by tell the commit), or measure anew with --out FOLDER."
)


@pytest.fixture
def older(tmp_path):
    """Return a store as an older version would have left it."""
    root = run(toy_tasks(1), tmp_path / "store", quiet=True)
    (progress,) = store.progress_of(root)
    shutil.rmtree(progress.segment)
    create(root, replace(progress.plan, schema=OLDER))
    return root


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("measure", "identity", "--images", "digits:2", "--out"), 2),
        (("info",), 2),
        (("check",), 1),
        (("check", "--repair"), 1),
    ],
    ids=["measure", "info", "check", "repair"],
)
def test_a_command_refuses_an_older_store_with_a_sentence_and_touches_nothing(older, monkeypatch, capsys, words, code):
    before = contents(older)
    monkeypatch.setattr(sys, "argv", ["purigeom", *words, str(older)])
    with pytest.raises(SystemExit) as stopped:
        __main__.main()
    said = "".join(capsys.readouterr())
    assert (stopped.value.code, SENTENCE in said) == (code, True), said
    assert "Traceback" not in said
    assert contents(older) == before
