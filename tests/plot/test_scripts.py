"""Claims about captions and about the scripts that draw every figure of a store."""

import pytest

from figures import all as every
from figures import figure_2_steadiness
from purigeom import Task, run, store
from purigeom.catalog import DIGITS_UNET, IMAGES
from purigeom.images import Digits
from purigeom.measurements.compression import Compression
from purigeom.measurements.distances import Distances
from purigeom.measurements.steadiness import Steadiness
from purigeom.plot.caption import caption, opening
from purigeom.purifiers.diffusion.ddim import DDIM
from purigeom.questions import Asked, known_measurements

PURIFIERS = {f"ddim {depth}": DDIM(DIGITS_UNET, depth, 2) for depth in (20, 80)}
QUESTIONS = (Steadiness((0.2,), points=2), Compression((0.2,), probes=1), Distances())


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Return a store of two purifiers, three questions and two digits."""
    tasks = [Task(name, one, asked, Digits()[:2]) for name, one in PURIFIERS.items() for asked in QUESTIONS]
    return run(tasks, tmp_path_factory.mktemp("figures") / "store", quiet=True)


def test_a_caption_tells_the_recipe_of_what_the_figure_draws(root):
    told = caption(store.load(root), ["steadiness"])
    assert told == (
        "2 purifiers: ddim 20, ddim 80.\n"
        "steadiness: Steadiness(radii=(0.2,), displacement=UniformBall(), points=2, clip=False, draws=1) of "
        "Digits(split='test', start=0, stop=2), seed 0, float32."
    )
    everything = [line.split(":")[0] for line in caption(store.load(root)).split("\n")[1:]]
    assert sorted(everything) == ["compression", "distances", "steadiness"]


def test_a_caption_names_measurements_of_one_kind_by_their_beginning(root):
    results = store.load(root)
    results.attrs["steadiness-of-another"] = results.attrs["steadiness"]
    results.attrs |= dict.fromkeys(("unsteadiness", "steadinesses"), results.attrs["steadiness"])
    assert [line.split(":")[0] for line in caption(results, ["steadiness"]).split("\n")[1:]] == [
        "steadiness",
        "steadiness-of-another",
    ]


def test_a_caption_opens_with_what_is_drawn():
    told = opening(figure_2_steadiness.draw)
    assert told.startswith("Correlations of purified displacements with the same configuration, the same input")
    assert "\n" not in told


@pytest.mark.parametrize("script", list(every.scripts()), ids=lambda script: script[0])
def test_every_script_draws_measurements_that_there_are(script):
    _, draw, asked = script
    settings = Asked(("all",), "digits", "pgd-linf", "uniform", (0.2,), 1)
    known = [one.label for one in known_measurements(settings, IMAGES["digits"]).values()]
    assert asked
    assert all(any(label == name or label.startswith(f"{name}-") for label in known) for name in asked)
    assert opening(draw)


def test_every_plot_has_exactly_one_script():
    drawn = [draw.__module__ for _, draw, _ in every.scripts()]
    assert len(drawn) == len(set(drawn))
    assert len(drawn) >= 20


def test_a_script_saves_the_figure_twice_and_its_caption(root, tmp_path, capsys):
    figure_2_steadiness.main(root, tmp_path / "steady")
    assert capsys.readouterr().out.split() == [str(tmp_path / f"steady.{kind}") for kind in ("png", "pdf", "txt")]
    assert "Steadiness(radii=(0.2,)" in (tmp_path / "steady.txt").read_text()


def test_all_figures_are_drawn_that_have_their_facts_and_the_others_are_named(root, tmp_path, capsys):
    skipped = every.main(root, tmp_path)
    drawn = {path.stem for path in tmp_path.glob("*.png")}
    assert drawn == {"figure_2_steadiness"}
    assert drawn | set(skipped) == {name for name, _, _ in every.scripts()}
    assert "needs ['classified'], which these results lack" in skipped["figure_s4_clean_accuracy"]
    assert "skipped figure_s4_clean_accuracy: A figure of clean accuracy needs" in capsys.readouterr().out
