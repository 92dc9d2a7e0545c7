"""A command line to type into, and a store that it made."""

import sys

import pytest

from purigeom import __main__


@pytest.fixture
def command(monkeypatch, capsys):
    """Return a function that runs a command here, and returns its exit code, output and errors."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["purigeom", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            __main__.main()
        said = capsys.readouterr()
        return stopped.value.code, said.out, said.err

    return run


@pytest.fixture
def small(command, tmp_path):
    """Return a store that a command made."""
    code, _, err = command("measure", "identity", "median", "--images", "digits:4", "--out", tmp_path / "s", "--quiet")
    assert (code, err) == (0, "")
    return tmp_path / "s"
