"""Claims about `purigeom` in a terminal: what is quick, and what is said of words that mean nothing."""

import json
import os
import resource
import subprocess
import sys

import pytest

HEAVY = ("torch", "xarray", "zarr", "diffusers", "pandas", "scipy", "numpy", "matplotlib")


@pytest.mark.parametrize("words", [["--help"], ["measure", "--help"]])
def test_help_is_quick_and_loads_nothing_heavy(words):
    program = (
        "import sys, json, purigeom\n"
        "from purigeom.__main__ import main\n"
        f"sys.argv = ['purigeom', *{words}]\n"
        "try: main()\n"
        f"finally: print('loaded', json.dumps([name for name in {HEAVY} if name in sys.modules]))\n"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ended.returncode == 0, ended.stderr
    assert "Usage: " in ended.stdout
    assert json.loads(ended.stdout.splitlines()[-1].removeprefix("loaded ")) == []
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


def test_the_installed_command_gives_a_sentence_and_no_traceback():
    ended = subprocess.run(
        [sys.executable, "-m", "purigeom", "contract", "nothing"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("purigeom: 'nothing' is no purifier: choose one of ['bilateral',")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["measure", "nothing"], "'nothing' is no purifier"),
        (["measure", "identity", "--images", "faces"], "'faces' is no image set"),
        (["measure", "identity", "--images", "digits:0"], "nothing to measure"),
        (["measure", "identity", "--measurement", "luck"], "'luck' is no measurement"),
        (["measure", "identity", "--attack", "prayer"], "'prayer' is no attack"),
        (["measure", "identity", "--classifier", "oracle"], "'oracle' is no classifier"),
        (["measure", "identity", "--displacement", "jump"], "'jump' is no displacement"),
        (["measure", "identity", "--tolerance", "luck=3"], "--tolerance needs one of count=WHOLE, leading=NUMBER"),
        (["measure", "identity", "--tolerance", "count=2.5"], "got 'count=2.5'"),
        (["measure", "missing.py:mine"], "There is no file missing.py"),
        (["info", "missing"], "holds no segment"),
        (["check", "missing"], "There is no store at missing"),
        (["check", "missing", "--repair"], "There is no store at missing"),
        (["info", "ftp://host/study"], "ftp://host/study cannot hold a store"),
        (["check", "gs://bucket/study"], "gs://bucket/study needs a package that is not here"),
        (["merge", "missing", "nowhere"], "nowhere holds no segment"),
    ],
    ids=" ".join,
)
def test_a_word_that_names_nothing_gets_one_sentence(command, tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    code, out, err = command(*words)
    assert (code, out) == (2, "")
    assert err.startswith("purigeom: ")
    assert sentence in err
    assert len(err.splitlines()) == 1
    assert not any(tmp_path.iterdir())
