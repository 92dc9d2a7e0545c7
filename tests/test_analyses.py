"""Studies, with fewer images, purifiers and steps than they are run with."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from analyses import paper, sensitivity
from figures import tables
from purigeom import store
from purigeom.attacks.pgd import PGD
from purigeom.catalog import DIGITS_UNET, PURIFIERS
from purigeom.executors import in_process
from purigeom.geometry.displacement import Corners, Sphere, UniformBall
from purigeom.images import Digits
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.sweep import run
from purigeom.tables.paper import TABLES


@pytest.fixture
def quickly(monkeypatch) -> None:
    for name, value in {"PROBES": 2, "JUDGEMENTS": 1, "DRAWS": 1}.items():
        monkeypatch.setattr(paper, name, value)


def test_every_measurement_of_the_paper_makes_every_table(tmp_path, quickly) -> None:
    purifiers = {"identity": PURIFIERS["identity"], "ddpm 10": DDPM(DIGITS_UNET, depth=10, steps=1)}
    subject = paper.Subject(attack=PGD(2))
    asked = [replace(task, images=task.images[:2]) for task in paper.tasks(purifiers, {}, subject)]
    root = run(asked, tmp_path / "store", quiet=True)
    assert len({task.measurement.label for task in asked}) == 22
    assert set(store.load(root)["purifier"].values) == set(purifiers)
    written = tables.main(root, tmp_path / "tables")
    assert {path.name for path in written} == {
        f"{name}{ending}" for name in (*TABLES, "claims", "claims_at_the_deepest") for ending in (".md", ".csv", ".tex")
    }
    assert "| ddpm 10 | DDPM | 10 | 1 |" in (tmp_path / "tables" / "table_3_robustness.md").read_text()


def test_the_paper_s_purifiers_are_asked_everything_and_those_in_other_steps_the_central_questions() -> None:
    asked = {(task.purifier_name, task.measurement.label) for task in paper.tasks()}
    assert len(asked) == len(paper.tasks()), "nothing is asked twice"
    labels = {label for _, label in asked}
    assert all((name, label) in asked for name in paper.PAPER for label in labels)
    assert {len([one for one in asked if one[0] == name]) for name in paper.IN_OTHER_STEPS} == {4}


def test_a_purifier_without_derivatives_is_asked_for_forward_passes_alone() -> None:
    asked = {task.measurement.label for task in paper.tasks({"bits": PURIFIERS["bit-depth"]}, {})}
    assert {"compression", "distances", "anchors", "minimal-perturbation"} <= asked
    assert not [label for label in asked if label.startswith(("survival", "spectrum", "gradient"))]


def test_other_images_purifiers_and_radii_take_the_same_questions(tmp_path, quickly, monkeypatch) -> None:
    monkeypatch.setattr(paper, "about_attacks", lambda _: [])
    file = tmp_path / "mine.npz"
    np.savez(file, images=np.random.default_rng(0).random((2, 1, 8, 8), np.float32), labels=np.array([1, 2]))
    subject = paper.Subject(f"{file}:1", radius=0.1)
    root = paper.measured(tmp_path / "store", ["bit-depth"], subject, in_process)
    results = store.load(root)
    assert results["purifier"].values.tolist() == ["bit-depth"]
    assert results.sizes["image"] == 1
    np.testing.assert_allclose(results["radius"], [0.1, 0.4, 0.8, 1.6])


def test_the_command_line_names_what_it_does_not_know(tmp_path) -> None:
    with pytest.raises(ValueError, match="no purifier"):
        paper.main([str(tmp_path / "store"), "--purifiers", "nobody"])
    assert not (tmp_path / "store").exists()


def planted():
    """Return facts of compression that goes with the radius, and survival along a sigmoid of midpoint 0.5 at 0.2."""
    usual = {name: one for name, one in sensitivity.USUAL.items() if not name.startswith("reverse")}
    names = [
        *usual,
        *(name for value in sensitivity.OTHERWISE for name, _ in sensitivity.changed(value, usual).values()),
    ]
    names = list(dict.fromkeys(names))
    place = {name: number for number, name in enumerate(usual)}
    compression = np.array([0.15 + 0.1 * place[name.partition(",")[0]] for name in names])
    survived = np.arange(200) < 200 / (1 + np.exp(10 * (compression[:, None] - 0.5)))
    radii = [*sensitivity.RADII, 0.9]
    kinds = [UniformBall.label, Corners.label, Sphere.label]
    known = np.array([[True, True, True, False], [False, True, False, False], [False, False, False, True]])
    grown = np.where(known, np.array([[*sensitivity.RADII, 0.2]] * 3) / 0.2, np.nan)
    facts = {
        "compression_ratio": (
            ("purifier", "displacement", "radius", "draw", "probe", "image"),
            np.broadcast_to(
                compression[:, None, None, None, None, None] * grown[None, :, :, None, None, None],
                (len(names), 3, 4, 1, 32, 200),
            ),
        ),
        "survived": (
            ("purifier", "attack", "radius", "draw", "image"),
            np.where(np.array(radii) == 0.2, 1.0, np.nan)[None, None, :, None, None] * survived[:, None, None, None],
        ),
    }
    places = {"displacement": kinds, "radius": radii, "attack": ["PGD"], "image": range(200), "purifier": names}
    return xr.Dataset(facts, places), usual


def test_sensitivity_tells_how_the_curve_moves_with_every_choice() -> None:
    results, usual = planted()
    rows = {row[:2]: row for row in sensitivity.sensitivity(results, usual).rows}
    assert [key for key in rows if key[0] == "radius"] == [("radius", f"{radius:g}") for radius in sensitivity.RADII]
    middles = {key: float(row[4].split(" ±")[0]) for key, row in rows.items()}
    assert middles["radius", "0.2"] == pytest.approx(0.5, abs=0.02)
    assert middles["radius", "0.4"] == pytest.approx(1.0, abs=0.04)
    assert middles["displacement", Sphere.label] == pytest.approx(0.5, abs=0.02)
    assert {value for choice, value in rows if choice == "purifier"} == set(sensitivity.OTHERWISE)


def test_a_purifier_that_a_choice_does_not_change_is_measured_once() -> None:
    usual = {name: sensitivity.USUAL[name] for name in ("ddpm 100", "ddim 100", "reverse-only 100")}
    names = [
        task.purifier_name for task in sensitivity.tasks(usual, Digits()[:2]) if task.measurement.label == "compression"
    ]
    assert sorted(names) == sorted(
        [
            *usual,
            *(f"{name}, denoised guess unclipped" for name in usual),
            "reverse-only 100, reverse-only rescaled",
            "ddpm 100, variance large",
            "reverse-only 100, variance large",
        ]
    )
