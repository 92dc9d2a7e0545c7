"""Claims about `purigeom calibrate` and `predict`."""

import pytest


def test_calibrate_makes_what_predict_reads(command, tmp_path):
    known = ("identity", "gaussian-noise", "gaussian-blur", "median", "total-variation")
    words = ("--images", "digits:6", "--radius", "0.1", "--out", tmp_path)
    code, out, err = command("calibrate", *known, *words)
    assert code == 0, err
    made = tmp_path / "digits-linf-0.1.npz"
    assert out.startswith(f"{made}: 5 purifiers of 5 families")
    assert "margin spread" in out
    code, out, err = command("predict", "gaussian-blur", "--images", "digits:6", "--calibration", made)
    assert (code, out) == (2, ""), "five purifiers make no interval"
    assert "needs at least 10 purifiers" in err


@pytest.mark.parametrize("words", [("demo",), ("calibrate", "identity")])
def test_what_writes_files_beside_its_store_refuses_a_url(command, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = command(*words, "--out", "memory://bucket/study")
    assert (code, out) == (2, "")
    assert "must be a folder of this machine; got 'memory://bucket/study'" in err
    assert not list(tmp_path.iterdir())


def test_predict_names_the_calibrations_there_are(command):
    code, out, err = command("predict", "gaussian-blur", "--calibration", "elsewhere")
    assert (code, out) == (2, "")
    assert "'elsewhere' is no calibration" in err


def test_predict_answers_by_the_shipped_calibration(command):
    code, out, err = command("predict", "gaussian-blur", "--images", "digits:32", "--calibration", "digits-linf-0.2")
    assert code == 0, err
    assert out.startswith("Predicted robust accuracy at linf radius 0.2: ")
    assert "by margin spread" in out
    assert "Calibrated by 'digits-linf-0.2': 44 purifiers." in out
