"""Claims about `purigeom` before whatever may be typed: a sentence for every mistake, and no store harmed by any."""

import contextlib
import io
import shutil
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from purigeom import __main__, store

PURIFIERS = ("identity", "median", "bit-depth", "absent.py:mine", "fuzzed.py:mine", "fuzzed.py:no", "torn.py:mine")
IMAGES = ("digits:2", "digits:0", "digits:-1", "torn.npz", "torn.zip", ".", "empty:3", "absent.npz:2", "digits:2:2")
PATHS = ("store", "store", "empty", "absent", "torn.npz", "store/absent", ".", "", "ftp://host/x", "file://", "torn")
NUMBERS = ("0", "1", "2", "-1", "0.1", "1e-400", "nan", "inf", "-inf", "½", "0x1", "1_0", "")
SEEDS = (*NUMBERS, "4294967296", "-9223372036854775809", "1" * 40)
CHOICES = {
    "--images": IMAGES,
    "--vary": ("bits=1:3:2", "bits=0:9:3", "depth=1:2:1", "bits", "=", "bits=1:2:0"),
    "--measurement": ("compression", "distances", "spectrum", "survival", "margins", "gallery", "cloud", "caps"),
    "--classifier": ("digits", "torn.npz", "fuzzed.py:mine", "robustbench:", "torn.safetensors", "torn.pt:ResNet", "."),
    "--attack": ("fgsm", "pgd-linf", "pgd-l2", "nothing"),
    "--displacement": ("uniform", "gaussian", "nothing"),
    "--tolerance": ("count=2", "count=-1", "leading=nan", "share=2", "=", "count"),
    "--seed": SEEDS,
    "--device": ("cpu", "cuda:99", "meta", "nothing"),
    "--dtype": ("float32", "float64", "float16", "int8"),
    "--precision": ("full", "bfloat16", "nothing"),
    "--rows-at-once": ("2", "0", "-1", "many"),
    "--workers": ("-1", "many"),
    "--dask": ("local:", "local:x", "local:0"),
    "--slurm": ("jobs", "jobs=x", "=", "jobs=0", "folder=store,jobs=-1"),
    "--calibration": ("digits-linf-0.1", "torn.npz", "store", "absent"),
    "--network": ("digits-ddpm", "absent"),
    "--out": PATHS,
}
FLAGS = ("--repair", "--dry-run", "--half-precision", "--quiet", "--help", "--version", "-h", "--", "-1")
WORK = ("--seed", "--images", "--classifier", "--radius")
RUN = ("--out", "--workers", "--dask", "--slurm")
MEASURE = (
    "--vary",
    "--measurement",
    "--attack",
    "--displacement",
    "--draws",
    "--probes",
    "--judgements",
    "--tolerance",
)
COMMANDS = {
    "list": (("purifiers", "attacks", "images", "nothing"), ()),
    "measure": (
        PURIFIERS,
        (*WORK, *RUN, *MEASURE, "--judgements", "--device", "--dtype", "--precision", "--rows-at-once"),
    ),
    "info": (PATHS, ()),
    "check": (PATHS, ("--again", "--seed")),
    "merge": (PATHS, ()),
    "contract": (PURIFIERS, ("--images", "--seed")),
    "diagnose": (PURIFIERS, WORK),
    "predict": (PURIFIERS, ("--images", "--classifier", "--calibration", "--half-width")),
    "calibrate": (PURIFIERS, ("--network", *WORK[1:], *RUN)),
    "models": (("list", "show", "nothing", "absent", ""), ()),
    "nothing": ((), ()),
}
ADDING = ("measure", "merge", "calibrate")
"""Commands that may add to a store."""
ANYTHING = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="/\0"), max_size=8)
"""What can be typed, but for ways out of the folder."""


SLOW = ("identity", "median", "bit-depth", "purifiers")
"""Words with which `calibrate` and `list` take seconds."""


def mostly(known):
    """Return what a command knows, and now and then something else."""
    return some.one_of(*[some.sampled_from(known)] * 5, ANYTHING) if known else ANYTHING


@some.composite
def typed(draw, patient):
    """Return the words of a command; without patience, none that takes seconds where its words are right."""
    name = draw(some.sampled_from(sorted([*COMMANDS, "demo"])))
    if name == "demo":  # takes minutes where its words are right
        return [name, draw(some.sampled_from(["more", "--nothing", "--out", "--quiet=no", "--help", "-1"]))]
    known, options = COMMANDS[name]
    if name in {"calibrate", "list"} and not patient:
        known = [word for word in known if word not in SLOW]
    words = draw(some.lists(mostly(known), min_size=int(name == "calibrate"), max_size=2))
    if name in {"measure", "contract", "diagnose", "predict", "calibrate"}:
        words += ["--images", "digits:2"]  # the last one counts, and more images tell no more
    for option in draw(some.lists(some.sampled_from(options), max_size=3)) if options else ():
        words += [option, draw(mostly(CHOICES.get(option, NUMBERS)))]
    words += draw(some.lists(mostly(FLAGS), max_size=1))
    return [name, *words]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a store, files that are not what they are called, and someone's purifiers."""
    there = tmp_path_factory.mktemp("typed")
    (there / "empty").mkdir()
    for name in ("torn.npz", "torn.zip", "torn.safetensors", "torn.pt", "torn"):
        (there / name).write_bytes(b"PK\x03\x04 is how a zip begins \xff")
    (there / "torn.py").write_text("mine = (")
    (there / "leaves.py").write_text("raise SystemExit('I am a script')")
    (there / "divides.py").write_text("class Mine:\n    def pin(self, noise, shape):\n        1 / 0\nmine = Mine()\n")
    (there / "fuzzed.py").write_text("class Mine:\n    pass\nmine = Mine()\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(there)
        patch.setattr(sys, "path", list(sys.path))
        patch.setenv("PURIGEOM_MODELS", str(there / "models"))
        assert entered(["measure", "identity", "median", "--images", "digits:4", "--out", "store", "--quiet"])[0] == 0
        shutil.copytree(there / "store", there / "copy")
        yield there


def entered(words):
    """Return the exit code, output and errors of a command."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", ["purigeom", *words])
        try:
            __main__.main()
        except SystemExit as stopped:
            return stopped.code or 0, out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def content(there):
    """Return every file of a folder."""
    return {path.relative_to(there): path.read_bytes() for path in there.rglob("*") if path.is_file()}


def gets_a_sentence_and_harms_no_store(folder, words):
    before = content(folder / "copy")
    code, out, err = entered(words)
    assert "Traceback" not in err
    assert code == 0 or (code == 1 and words[0] == "check") or code == 2, f"{words} ended with {code}: {err}"
    if code == 2 and "Usage: " not in out + err and " Error " not in err.partition("\n")[0]:  # what typer says itself
        _, _, sentence = f"\n{err}".partition("\npurigeom: ")
        assert len(sentence.split()) > 3, f"{words} got no sentence: {err}"
        assert all(one.isprintable() or one == "\n" for one in sentence)
    after = content(folder / "store")
    if words[0] in ADDING:
        assert {path: after.get(path) for path in before} == before
        for home in {path.parent for path in folder.rglob("*.zarr")} - {folder / "copy"}:
            assert all(finding.harmless for finding in store.verify(home)), f"{words} harmed {home}"
            if home != folder / "store":
                shutil.rmtree(home)
        if after != before:
            shutil.rmtree(folder / "store")
            shutil.copytree(folder / "copy", folder / "store")
    else:
        assert after == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("contract torn.py:mine", "torn.py cannot be imported: SyntaxError: '(' was never closed (torn.py, line 1)"),
        ("contract leaves.py:mine", "leaves.py cannot be imported: SystemExit: I am a script"),
        (
            f"measure identity --images digits:2 --seed {10**30} --out new",
            "Task.seed must be a whole number of at most",
        ),
        ("predict identity --images digits:2 --half-width nan", "predict needs a half width above zero"),
        ("predict identity --images digits:2 --calibration torn.npz", "torn.npz is no calibration"),
        ("contract identity --images torn.npz", "torn.npz must be a whole npz"),
        ("diagnose identity --images digits:2 --radius -1", "A diagnosis needs a finite radius above zero; got -1.0"),
        ("info red\x1b[31m\x85", "red\\x1b[31m\\x85 holds no segment"),
    ],
)
def test_what_was_once_typed_gets_a_sentence_now(folder, words, sentence):
    code, out, err = entered(words.split(" "))
    assert (code, out) == (2, "")
    assert err.startswith(f"purigeom: {sentence}")
    assert len(err.splitlines()) == 1
    assert not (folder / "new").exists()


def test_a_fault_that_is_nobodys_mistake_gets_a_sentence_below_its_traceback(folder):
    code, _, err = entered(["contract", "divides.py:mine", "--images", "digits:2"])
    assert code == 2
    assert 'divides.py", line 3, in pin' in err
    assert err.splitlines()[-1].startswith(
        "purigeom: ZeroDivisionError: division by zero. This is a fault of the last file"
    )


def test_a_dry_run_writes_nothing_and_info_tells_what_is_left(folder):
    code, out, err = entered(["measure", "identity", "--images", "digits:2", "--out", "new", "--dry-run"])
    assert (code, err) == (0, "")
    assert out.startswith("compression of identity: 1 units of 2 images, about 0 network evaluations, about ")
    assert not (folder / "new").exists()
    assert entered(["info", "store"])[1].endswith("\nstore: 2 of 2 units done, nothing is left\n")


CALM = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True)


@settings(CALM, max_examples=200)
@given(typed(patient=False))
def test_whatever_is_typed_gets_a_sentence_and_harms_no_store(folder, words):
    gets_a_sentence_and_harms_no_store(folder, words)


@pytest.mark.slow
@settings(CALM, max_examples=3000, derandomize=False)
@given(typed(patient=True))
def test_much_that_is_typed_gets_a_sentence_and_harms_no_store(folder, words):
    gets_a_sentence_and_harms_no_store(folder, words)
