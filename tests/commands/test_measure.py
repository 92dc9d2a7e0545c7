"""Claims about `purigeom measure`."""

import numpy as np
import pytest

from purigeom import store
from tests.commands.mine import MINE


def test_measure_fills_a_store_and_prints_means(command, tmp_path):
    words = ("--images", "digits:6", "--out", tmp_path, "--radius", 0.2, "--seed", 3, "--draws", 2)
    measurements = ("--measurement", "compression", "--measurement", "distances")
    code, out, err = command("measure", "identity", "gaussian-blur", *words, *measurements)
    assert code == 0
    assert "measuring: 4 of 4 units" in err
    identity = next(line for line in out.splitlines() if line.startswith("compression_ratio") and "identity" in line)
    assert "1.0000 ± 0.0000" in identity
    found = store.load(tmp_path)
    assert found.purifier.values.tolist() == ["identity", "gaussian-blur"]
    assert found.l2_distance.shape == (2, 2, 6)
    assert found.radius.values.tolist() == [0.2]
    blur = found.compression_ratio.sel(purifier="gaussian-blur").mean(("probe", "draw")).mean().item()
    assert f"{blur:.4f}" in next(line for line in out.splitlines() if "compression" in line and "blur" in line)


def test_measure_takes_an_object_of_a_file_and_keys_it_by_its_source(command, tmp_path):
    path = tmp_path / "purifier_of_a_file.py"
    path.write_text(MINE.format(body="self.factor * images"))
    words = ("measure", f"{path}:mine", "--images", "digits:2", "--out", tmp_path / "s", "--quiet")
    code, out, err = command(*words)
    assert (code, err) == (0, "")
    assert "mine" in out
    assert "0.5000 ± 0.0000" in out
    assert store.load(tmp_path / "s").recipe.values.tolist() == ["Mine(factor=0.5)"]
    path.write_text(MINE.format(body="images / 2"))
    code, out, err = command(*words)
    assert (code, out) == (2, "")
    assert "holds another purifier named 'mine' and will not be overwritten" in err


def test_measure_takes_images_of_a_file(command, tmp_path):
    np.savez(tmp_path / "images.npz", images=np.full((5, 3, 8, 8), 200, np.uint8), ids=np.arange(5) + 70)
    words = ("--images", f"{tmp_path}/images.npz:4", "--out", tmp_path / "s", "--quiet", "--measurement", "distances")
    assert command("measure", "identity", *words)[0] == 0
    assert store.load(tmp_path / "s").image.values.tolist() == [70, 71, 72, 73]


def test_two_purifiers_that_would_share_a_name_are_refused(command, tmp_path):
    for name in ("shares_a_name", "also_shares_it"):
        (tmp_path / f"{name}.py").write_text(MINE.format(body="images"))
    words = [f"{tmp_path}/{name}.py:mine" for name in ("shares_a_name", "also_shares_it")]
    code, _, err = command("measure", *words, "--images", "digits:2", "--out", tmp_path / "s")
    assert code == 2
    assert "would be stored as 'mine', which an earlier purifier is" in err
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("question", ["leading-spectrum", "spectrum", "curvature"])
def test_measure_puts_no_question_about_derivatives_to_what_has_none(command, tmp_path, question):
    path = tmp_path / f"leaves_it_{question.replace('-', '_')}.py"
    path.write_text(MINE.format(body="self.factor * images + images.detach()"))
    words = ("--images", "digits:2", "--out", tmp_path / "s", "--quiet", "--measurement")
    code, out, err = command("measure", f"{path}:mine", *words, "compression", "--measurement", question)
    assert (code, out) == (2, "")
    assert "ValueError: Mine(factor=0.5) declares differentiability 'exact', but derivatives differ" in err
    code, out, err = command("measure", "bit-depth", *words, question)
    assert (code, out) == (2, "")
    assert "BitDepth(bits=2) declares differentiability 'piecewise constant'" in err
    assert command("measure", "bit-depth", *words, "compression")[0] == 0


def test_measure_asks_for_a_tolerance_and_says_who_did_not_meet_it(command, tmp_path):
    words = ("--images", "digits:3", "--out", tmp_path, "--quiet", "--measurement", "leading-spectrum")
    tolerance = ("--tolerance", "count=2", "--tolerance", "share=0.05", "--tolerance", "most_products=40")
    code, out, err = command("measure", "identity", "total-variation", *words, *tolerance)
    assert (code, err) == (0, "")
    assert store.load(tmp_path).leading_singular_value.sizes["mode"] == 2
    assert "most_products=40" in store.load(tmp_path).attrs["leading-spectrum"]
    (unmet,) = [line.split() for line in out.splitlines() if "not met" in line]
    assert unmet[:2] == ["tolerance_met", "total-variation"]
    assert unmet[-4:] == ["met", "for", "3", "images"]
    starts = {line.rindex(" ", 0, line.index(" ±")) for line in out.splitlines() if "±" in line}
    assert len(starts) == 1, "columns stand under each other"
    (error,) = [line for line in out.splitlines() if line.startswith("leading_error") and "identity" in line]
    assert error.count("e-") == 2, "four digits after the point would show none of it"


def test_measure_takes_probes_and_half_precision(command, tmp_path):
    words = ("--images", "digits:2", "--out", tmp_path, "--quiet", "--measurement", "compression", "--probes", 3)
    half = ("--measurement", "leading-spectrum", "--half-precision")
    assert command("measure", "gaussian-blur", *words, *half)[0] == 0
    found = store.load(tmp_path)
    assert found.compression_ratio.sizes["probe"] == 3
    assert "half_precision=True" in found.attrs["leading-spectrum"]


def test_measure_names_a_precision_that_there_is_not(command, tmp_path):
    words = ("bit-depth", "--images", "digits:2", "--out", tmp_path / "s", "--quiet", "--precision", "int8")
    code, out, err = command("measure", *words)
    assert (code, out) == (2, "")
    assert err == "purigeom: A precision must be one of ('full', 'bfloat16', 'float16'); got 'int8'.\n"


def test_measure_knows_the_geometry_and_compares_digits_with_the_training_split(command, tmp_path):
    names = ("leading-spectrum", "curvature", "directions", "singular-vectors")
    words = [word for name in names for word in ("--measurement", name)]
    code, out, err = command("measure", "gaussian-blur", *words, "--images", "digits:2", "--out", tmp_path, "--quiet")
    assert (code, err) == (0, "")
    found = store.load(tmp_path)
    assert set(names) <= set(found.attrs)
    assert "Digits(split='train'" in found.attrs["directions"]
    assert {"share_below", "curvature", "on_manifold_compression", "left_singular_vector"} <= set(found)
    assert "on_manifold_compression" in out
    assert "left_singular_vector" not in out


def test_what_is_infinite_is_printed_without_an_error(command, tmp_path):
    asked = ("--images", "digits:4", "--measurement", "distances", "--out", tmp_path / "s", "--quiet")
    code, out, err = command("measure", "identity", *asked)
    assert (code, err) == (0, "")
    (line,) = [line for line in out.splitlines() if line.startswith("psnr")]
    assert line.split() == ["psnr", "identity", "inf"]
