"""From images to a fitted curve and a figure, in the few lines a reader should need."""

from dataclasses import replace

import numpy as np
import torch

from figures.compression_robustness import draw, main
from purigeom import Task, demo, estimates, measure, run, store
from purigeom.attacks.pgd import PGD
from purigeom.calibration import calibrate
from purigeom.catalog import BASELINES, CLASSIFIERS, DIGITS_DIFFUSION, DIGITS_UNET, PURIFIERS
from purigeom.executors import in_process
from purigeom.images import Digits
from purigeom.measurements.compression import Compression
from purigeom.measurements.survival import Survival
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.wrapped import wrap

DIGITS = Digits()[:24]


def test_images_to_measured_compression(tmp_path) -> None:
    known = {**BASELINES, **DIGITS_DIFFUSION}
    tasks = [Task(name, purifier, Compression((0.2,), probes=1), DIGITS[:4]) for name, purifier in known.items()]
    results = store.load(run(tasks, tmp_path, quiet=True))
    assert list(results.purifier) == list(known)
    assert results.compression_ratio.sizes["image"] == 4
    np.testing.assert_allclose(results.compression_ratio.sel(purifier="identity"), 1, rtol=1e-5)


def test_images_to_fitted_curve_and_figure(tmp_path) -> None:
    """The paper's claim at its smallest: what a purifier compresses more survives more."""
    questions = (Compression((0.2,), probes=2), Survival(CLASSIFIERS["digits"], (0.2,), PGD(4, relative_step=1.0)))
    purifiers = {"identity": PURIFIERS["identity"], "gaussian-noise": PURIFIERS["gaussian-noise"]}
    purifiers |= {f"ddpm {depth}": DDPM(DIGITS_UNET, depth, 3) for depth in (10, 50, 100, 150)}
    tasks = [Task(name, purifier, question, DIGITS) for name, purifier in purifiers.items() for question in questions]
    root = run(tasks, tmp_path / "store", quiet=True)
    calibration = calibrate(store.load(root))
    assert calibration.fit.slope > 0
    points = calibration.points.sortby("compression")
    assert points.survival[:2].mean() > points.survival[-2:].mean() + 0.1
    assert len(draw(store.load(root)).axes) == 1
    main(root, tmp_path / "curve")
    assert (tmp_path / "curve.png").stat().st_size > 10_000
    assert (tmp_path / "curve.pdf").stat().st_size > 5_000


def test_a_stranger_s_module_is_measured_in_one_line() -> None:
    images = torch.rand(5, 3, 16, 16)
    facts = measure(wrap(torch.nn.AvgPool2d(3, 1, 1).eval()), images)
    means = estimates(facts)
    assert 0 < means.compression_ratio.item() < 1
    assert 0 < means.compression_ratio_standard_error.item() < 0.1


def test_an_answer_in_memory_names_what_made_it() -> None:
    facts = measure(PURIFIERS["median"], DIGITS[:4])
    assert facts.attrs["purifier"] == "MedianFilter(width=3)"
    assert facts.attrs["seed"] == 0
    assert "Compression(radii=" in facts.attrs["compression"]
    assert '"torch"' in facts.attrs["made_by"]


def test_the_demo_asks_for_no_derivatives_of_what_is_piecewise_constant() -> None:
    asked = {(task.purifier_name, task.measurement.label.partition("-")[0]) for task in demo.tasks()}
    assert {name for name in demo.PURIFIERS if (name, "spectrum") not in asked} == {"bit-depth"}
    assert {label for name, label in asked if name == "bit-depth"} == {
        "compression",
        "distances",
        "survival",
        "gallery",
    }


def test_the_demo_s_pieces_make_a_report(tmp_path, monkeypatch) -> None:
    """The whole demo, with fewer purifiers, images and steps."""
    chosen = ("identity", "bit-depth", "gaussian-noise", "ddpm 10", "ddpm 60", "reverse-only 180", "ddim 180")
    monkeypatch.setattr(demo, "PURIFIERS", {name: demo.PURIFIERS[name] for name in chosen})
    monkeypatch.setattr(demo, "IMAGES", DIGITS[:16])
    monkeypatch.setattr(demo, "SHOWN", DIGITS[:4])
    quick = [
        replace(question, attack=PGD(2)) if isinstance(question, Survival) else question
        for question in demo.MEASUREMENTS
    ]
    monkeypatch.setattr(demo, "MEASUREMENTS", quick)
    outcome = demo.demonstrate(tmp_path, in_process, quiet=True)
    page = outcome.report.read_text()
    assert page.count("<svg") == 3
    assert all(f"<td>{name}</td>" in page for name in chosen)
    assert "bit-depth (no gradient)" in page
    links = [part.split('"')[0] for part in page.split('src="')[1:] + page.split('href="')[1:]]
    assert all(link.startswith(("data:", "#")) for link in links), "the page must open without a network"
    assert {path.suffix for path in outcome.figures} == {".png", ".pdf"}
    before = sorted((path, path.stat().st_mtime_ns) for path in outcome.store.rglob("*") if path.is_file())
    demo.demonstrate(tmp_path, in_process, quiet=True)
    after = sorted((path, path.stat().st_mtime_ns) for path in outcome.store.rglob("*") if path.is_file())
    assert before == after, "a second run answers from the store"
