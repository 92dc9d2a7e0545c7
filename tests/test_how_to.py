"""The how-to guides, word for word."""

import re
import shlex
from pathlib import Path

import pytest

from purigeom.__main__ import application

HOW_TO = Path(__file__).parents[1] / "docs" / "how-to"


def blocks(page, language):
    """Return the blocks of code of a page."""
    return re.findall(rf"```{language}\n(.*?)```", (HOW_TO / page).read_text(), re.DOTALL)


def test_the_purifier_to_copy_goes_through_every_command(tmp_path, monkeypatch, capsys) -> None:
    file = tmp_path / "src" / "purigeom" / "purifiers" / "sharpen.py"
    file.parent.mkdir(parents=True)
    file.write_text(blocks("add-a-purifier.md", "python")[0])
    monkeypatch.chdir(tmp_path)
    lines = [line for block in blocks("add-a-purifier.md", "sh") for line in block.splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("purigeom ")]
    assert [words[0] for words in commands] == ["contract", "measure", "predict"]
    for words in commands:
        with pytest.raises(SystemExit) as ended:
            application(words)
        assert not ended.value.code
    told = capsys.readouterr().out
    assert "Sharpen(amount=0.5) keeps the contract on 3 images." in told
    assert "Extrapolation: the family 'sharpening' is new" in told
