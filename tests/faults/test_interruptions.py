"""Claims about commands that Ctrl-C stops: they end at once, and say what is kept."""

import os
import signal
import subprocess
import sys
import time

import pytest

from purigeom import store
from purigeom.__main__ import main

PATIENCE = 60
SLOW = """
import time
from dataclasses import dataclass

@dataclass(frozen=True)
class Slow:
    def pin(self, noise, image_shape):
        def purify(images):
            time.sleep(0.3)
            return images
        return purify

slow = Slow()
"""


@pytest.mark.parametrize("flags", [(), ("--workers", "1")], ids=["here", "workers"])
def test_a_study_that_ctrl_c_stops_says_so_and_can_be_taken_up_again(tmp_path, flags):
    """Ctrl-C reaches all processes of a terminal, which is a group of them."""
    (tmp_path / "mine.py").write_text(SLOW)
    words = ["mine.py:slow", "--images", "digits:400", "--out", "study", "--quiet", *flags]
    command = [sys.executable, "-m", "purigeom", "measure", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    running = subprocess.Popen(command, cwd=tmp_path, start_new_session=True, **pipes)
    until = time.monotonic() + PATIENCE
    while not any((tmp_path / "study").glob("*.zarr/made_by/c.*")):
        assert time.monotonic() < until, "nothing was ever answered"
        assert running.poll() is None, running.communicate()
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGINT)
    said = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert said == ("", "purigeom: stopped; what was answered is stored, run again to go on.\n")
    (progress,) = store.progress_of(tmp_path / "study")
    assert progress.done
    assert progress.missing


def test_a_command_that_stores_nothing_promises_nothing(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["purigeom", "list"])
    monkeypatch.setattr("purigeom.listing.catalogue", interrupted)
    with pytest.raises(SystemExit, match="130"):
        main()
    assert capsys.readouterr().err == "purigeom: stopped.\n"
