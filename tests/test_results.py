"""The results that are kept with the code are those that documents quote."""

import tarfile
from pathlib import Path

import numpy as np
import pytest

from analyses import recalibration
from figures import tables, zoo
from purigeom import store
from purigeom.judging import looking
from purigeom.prediction.files import NEEDED, load, shipped
from purigeom.prediction.strangers import joined
from purigeom.prediction.table import tabulated

ROOT = Path(__file__).parents[1]


def unpack(name, folder):
    """Put a kept store into a folder."""
    with tarfile.open(ROOT / "results" / name / "store.tar.xz") as archive:
        archive.extractall(folder, filter="data")


@pytest.mark.parametrize(("name", "document"), [("cifar10", "cifar10.md")])
def test_a_document_quotes_every_table_of_its_kept_store(name, document, tmp_path) -> None:
    unpack(name, tmp_path)
    written = [path for path in tables.main(tmp_path / name, tmp_path / "tables") if path.suffix == ".md"]
    text = (ROOT / "docs" / document).read_text()
    assert written
    assert not [path.name for path in written if path.read_text().strip() not in text]


def test_two_documents_quote_every_table_of_the_zoo(tmp_path) -> None:
    unpack("zoo", tmp_path)
    written = [path for path in zoo.main(tmp_path / "zoo", tmp_path / "tables") if path.suffix == ".md"]
    text = "".join((ROOT / "docs" / name).read_text() for name in ("zoo.md", "prediction.md"))
    assert len(written) == 12
    assert not [path.name for path in written if path.read_text().strip() not in text]


@pytest.mark.parametrize("radius", recalibration.RADII)
def test_the_recalibrations_are_what_the_zoo_s_store_tells(radius, tmp_path) -> None:
    unpack("zoo", tmp_path)
    known = load(shipped()[f"digits-linf-{radius:g}"])
    table = joined(known, tabulated(looking(store.load(tmp_path / "zoo").load()), radius))
    kept = load(shipped()[f"digits-zoo-linf-{radius:g}"])
    assert list(table["purifier"].values) == list(kept["purifier"].values)
    for name in NEEDED:
        if table[name].dtype.kind == "f":
            np.testing.assert_allclose(table[name], kept[name], rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("radius", [1, 2])
def test_the_calibrations_of_cifar_are_what_their_kept_store_tells(radius, tmp_path) -> None:
    unpack("calibration-cifar10", tmp_path)
    table = tabulated(store.load(tmp_path / "calibration-cifar10").load(), radius / 255)
    kept = load(shipped()[f"cifar10-linf-{radius}-255"])
    for name in NEEDED:
        if table[name].dtype.kind == "f":
            np.testing.assert_allclose(table[name], kept[name], rtol=1e-5, err_msg=name)
    assert list(table["purifier"].values) == list(kept["purifier"].values)
