"""The results that are kept with the code are those that documents quote."""

import tarfile
from pathlib import Path

import pytest

from figures import tables

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(("name", "document"), [("cifar10", "cifar10.md")])
def test_a_document_quotes_every_table_of_its_kept_store(name, document, tmp_path) -> None:
    with tarfile.open(ROOT / "results" / name / "store.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    written = [path for path in tables.main(tmp_path / name, tmp_path / "tables") if path.suffix == ".md"]
    text = (ROOT / "docs" / document).read_text()
    assert written
    assert not [path.name for path in written if path.read_text().strip() not in text]
