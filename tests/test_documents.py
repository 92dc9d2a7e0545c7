"""What the documents say that the code can check."""

from pathlib import Path

from purigeom.schema import VARIABLES

ROOT = Path(__file__).parents[1]


def test_the_store_s_page_tells_every_variable_and_no_other() -> None:
    rows = [line for line in (ROOT / "docs" / "store.md").read_text().splitlines() if line.startswith("| `")]
    declared = [
        f"| `{variable.name}` | {', '.join(variable.dims)} | {variable.units} | {variable.meaning} |"
        for variable in VARIABLES.values()
    ]
    assert rows == declared


def test_every_decision_has_its_own_number() -> None:
    names = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert [name[:4] for name in names] == [f"{number:04d}" for number in range(1, len(names) + 1)]


def test_files_stay_short() -> None:
    """The house's limits: files under 200 lines."""
    long = [path for path in (ROOT / "src").rglob("*.py") if len(path.read_text().splitlines()) >= 200]
    assert not long
