"""The study of CIFAR-10, asked about fewer images and of quicker purifiers than it is run with."""

import numpy as np

from analyses import calibration_of_cifar, cifar, paper
from analyses.subject import Subject
from purigeom.geometry.spectrum.adaptive import Tolerance
from purigeom.measurements.leading_spectrum import LeadingSpectrum
from purigeom.protocols import declaration
from tests.shared import DATA, needs_data


@needs_data
def test_the_study_asks_the_central_questions_about_half_the_images_and_others_about_a_quarter(monkeypatch) -> None:
    monkeypatch.setenv("PURIGEOM_DATA", str(DATA))
    subject = cifar.subject("cifar10")
    assert subject.radius == 8 / 255
    asked = {task.measurement.label: len(task.images) for task in paper.tasks(cifar.STUDIED, {}, subject)}
    assert (asked["compression"], asked["compression-linf-corners"], asked["boundary-slice"]) == (32, 8, 2)


def test_large_images_are_asked_for_the_spectrum_that_products_tell(tmp_path) -> None:
    assert Subject("digits").spectrum().label == "spectrum"
    np.savez(tmp_path / "large.npz", images=np.zeros((1, 3, 32, 32), np.float32), labels=np.zeros(1, int))
    tolerance = Tolerance(count=4)
    found = Subject(str(tmp_path / "large.npz"), tolerance=tolerance).spectrum()
    assert found == LeadingSpectrum(tolerance)


def test_every_studied_purifier_is_of_the_one_lean_network() -> None:
    networks = {declaration(one).network for one in cifar.STUDIED.values()}
    assert networks == {None, "cifar10-ddpm"}


def test_the_calibration_knows_at_least_eight_families_and_asks_each_once() -> None:
    tasks = calibration_of_cifar.tasks()
    assert len({declaration(task.purifier).family for task in tasks}) >= 8
    asked = [(task.purifier_name, task.measurement.label) for task in tasks]
    assert len(asked) == len(set(asked))
