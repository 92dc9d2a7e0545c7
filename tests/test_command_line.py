"""Claims about `purigeom` in a terminal."""

import json
import os
import resource
import subprocess
import sys

import numpy as np
import pytest

from purigeom import __main__, listing, store
from purigeom.catalog import ATTACKS, CLASSIFIERS, DISPLACEMENTS, IMAGES, PURIFIERS
from purigeom.networks.unet import UNet
from purigeom.purifiers.diffusion.ddim import OneShot

HEAVY = ("torch", "xarray", "zarr", "diffusers", "pandas", "scipy", "numpy", "matplotlib")
MINE = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Mine:
    factor: float
    def pin(self, noise, image_shape):
        return lambda images: {body}

mine = Mine(0.5)
"""


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


def test_info_says_what_is_there_and_what_is_missing(command, small):
    code, out, _ = command("info", small)
    assert code == 0
    assert "compression: 2 purifiers x 4 images, 2 units done, 0 missing" in out
    assert "Compression(radii=(" in out
    (seal,) = small.glob("*.zarr/made_by/c.1.0")
    seal.unlink()
    assert "1 units done, 1 missing" in command("info", small)[1]


def test_check_exits_with_zero_only_for_a_store_that_is_whole(command, small, tmp_path):
    code, out, _ = command("check", small)
    assert (code, out) == (0, f"{small}: 0 problems\n")
    (chunk,) = small.glob("*.zarr/compression_ratio/c.1.*")
    flipped = bytearray(chunk.read_bytes())
    flipped[7] ^= 16
    chunk.write_bytes(flipped)
    code, out, _ = command("check", small)
    assert code == 1
    assert f"{chunk}: it cannot be read" in out
    assert out.endswith("1 problems, of which --repair drops 1 for the next run to answer again\n")
    (tmp_path / "empty").mkdir()
    assert command("check", tmp_path / "empty")[0] == 1


def test_check_with_repair_drops_what_is_broken_and_the_next_run_answers_it(command, small):
    (chunk,) = small.glob("*.zarr/compression_ratio/c.1.*")
    chunk.write_bytes(chunk.read_bytes()[:-9])
    code, out, _ = command("check", small, "--repair")
    assert code == 0
    assert out.startswith(f"dropped: {chunk}: ")
    assert out.endswith("0 problems; run again to answer what was dropped\n")
    assert "1 units done, 1 missing: median" in command("info", small)[1]
    command("measure", "identity", "median", "--images", "digits:4", "--out", small, "--quiet")
    assert command("check", small)[:2] == (0, f"{small}: 0 problems\n")


def test_merge_brings_two_stores_together_or_says_why_not(command, small, tmp_path):
    asked = ("measure", "gaussian-noise", "--images", "digits:4", "--quiet", "--out")
    for folder, more in (("other", ()), ("third", ("--seed", "1"))):
        assert command(*asked, tmp_path / folder, *more)[0] == 0
    merged = tmp_path / "merged"
    assert command("merge", merged, small, tmp_path / "other")[:2] == (0, f"{merged}: 3 units done, 3 of them new\n")
    assert command("merge", merged, small)[1] == f"{merged}: 3 units done, 0 of them new\n"
    assert set(store.load(merged).purifier.values) == {"identity", "median", "gaussian-noise"}
    code, out, err = command("merge", merged, tmp_path / "third")
    assert (code, out) == (2, "")
    assert "seed 0 against 1" in err


BAD = {
    "couples images of a batch": "images - images.mean()",
    "hides randomness": "images + 0 * images + __import__('torch').rand_like(images)",
    "must keep the shape": "images[:, :, 1:]",
    "NaN or infinity for image 3": "images / 0 * 0",
    "pixels as far as 1e+03, which has diverged, for image 3": "1000 * images",
}


@pytest.mark.parametrize(("law", "body"), BAD.items(), ids=BAD)
def test_contract_says_which_law_a_purifier_breaks(command, tmp_path, law, body):
    path = tmp_path / f"breaks_{law.split()[0]}.py"
    path.write_text(MINE.format(body=body))
    code, out, err = command("contract", f"{path}:mine")
    assert (code, out) == (2, "")
    assert law in err
    assert "Mine(factor=0.5)" in err


@pytest.mark.parametrize("name", ["Nobody", "number"])
def test_contract_names_what_is_no_purifier_and_wraps_a_function(command, tmp_path, name):
    path = tmp_path / f"others_{name}.py"
    path.write_text("number = 3\ndef half(images):\n    return images / 2\nclass Nobody:\n    pass\n")
    code, out, err = command("contract", f"{path}:{name}")
    assert (code, out) == (2, "")
    assert f"{path}:{name} must have `pin(noise, image_shape)`, or be a function or module of images; got" in err
    code, out, err = command("contract", f"{path}:half", "--images", "digits:3")
    assert (code, err) == (0, "")
    assert "keeps the contract on 3 images" in out


def test_contract_has_good_news_of_a_good_purifier(command):
    code, out, err = command("contract", "gaussian-noise", "--images", "digits:3")
    assert (code, err) == (0, "")
    first, second = out.splitlines()
    assert first == f"{PURIFIERS['gaussian-noise']!r} keeps the contract on 3 images."
    assert second.startswith("Its derivatives agree with each other and")


def test_contract_knows_what_is_wrong_with_derivatives(command, tmp_path):
    path = tmp_path / "leaves_the_graph.py"
    path.write_text(MINE.format(body="self.factor * images + images.detach()"))
    code, out, err = command("contract", f"{path}:mine")
    assert (code, out) == (2, "")
    assert err.startswith("purigeom: Mine(factor=0.5) declares differentiability 'exact', but derivatives differ")


def test_contract_leaves_steps_unchecked_and_says_so(command):
    code, out, _ = command("contract", "bit-depth", "--images", "digits:2")
    assert code == 0
    assert "'piecewise constant': derivatives are not checked, and measures of finite displacements still" in out


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


def test_list_shows_every_name(command):
    code, out, _ = command("list")
    assert code == 0
    for room in (PURIFIERS, ATTACKS, CLASSIFIERS, DISPLACEMENTS, IMAGES):
        for name, thing in room.items():
            assert any(line.split() and line.split()[0] == name and repr(thing) in line for line in out.splitlines())


def test_list_tells_where_purifiers_come_from_and_what_they_cost(command, monkeypatch):
    monkeypatch.setattr(listing, "asked", lambda *_: ("no", "0"))
    code, out, _ = command("list", "purifiers")
    assert code == 0
    rows = {line.split()[0]: line for line in out.splitlines()}
    assert rows.keys() == {"name", *PURIFIERS}
    assert all(purifier.declaration.family in rows[name] for name, purifier in PURIFIERS.items())


def test_one_image_tells_of_randomness_and_network_calls():
    assert listing.asked(PURIFIERS["gaussian-noise"], listing.GREY) == ("yes", "0")
    assert listing.asked(PURIFIERS["digits-one-shot"], listing.GREY) == ("yes", "1")
    assert listing.asked(PURIFIERS["median"], listing.GREY) == ("no", "0")
    assert listing.asked(OneShot(UNet("absent"), 10), listing.GREY) == ("-", "-")


def test_list_names_the_rooms_there_are(command):
    code, out, err = command("list", "nothing")
    assert (code, out) == (2, "")
    assert "'nothing' is no part of the catalogue: choose one of ['purifiers', 'attacks'" in err


def test_diagnose_names_what_hides_randomness_and_clears_what_does_not(command, tmp_path):
    (tmp_path / "mine.py").write_text(MINE.format(body="images + 0.1 * images.new_empty(images.shape).normal_()"))
    code, out, _ = command("diagnose", f"{tmp_path / 'mine.py'}:mine")
    assert (code, out.partition(":")[0]) == (0, "Hidden randomness")
    code, out, _ = command("diagnose", "gaussian-blur", "--images", "digits:3")
    assert (code, out.partition(" of ")[0]) == (0, "Nothing suspicious")
    assert out.endswith("on 3 images.\n")


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
