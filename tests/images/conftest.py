"""Every test of images works in a folder of its own and finds no data that it did not make or name."""

import pytest
from huggingface_hub import constants


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.delenv("PURIGEOM_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
