"""The tables of the paper, and its numbers beside ours: `python -m figures.tables [STORE] [FOLDER]`.

Reads the store of `analyses.paper` unless another is given, measures nothing, prints what `docs/paper.md` quotes, and
writes every table as Markdown, CSV and LaTeX.
"""

import sys
from functools import partial
from pathlib import Path

from figures.script import given
from purigeom import store
from purigeom.tables.claims import claims
from purigeom.tables.paper import TABLES
from purigeom.tables.writing import Table, comma_separated, latex, markdown

FORMS = {".md": markdown, ".csv": comma_separated, ".tex": latex}
"""How a table is written, by the ending of its file."""


def main(root: Path, folder: Path) -> list[Path]:
    """Write the tables that a store has facts for, print them and say which it has none for; return the files."""
    results, written = store.load(root).load(), list[Path]()
    deepest = partial(claims, depth=float(results["depth"].max()))
    for name, table_of in {**TABLES, "claims": claims, "claims_at_the_deepest": deepest}.items():
        try:
            table = table_of(results)
        except (KeyError, ValueError) as error:
            sys.stderr.write(f"{name} left out: {error}\n")
            continue
        written += printed(table, folder, name)
    return written


def printed(table: Table, folder: Path, name: str) -> list[Path]:
    """Print a table and write it in every form; return the files."""
    sys.stdout.write(f"{markdown(table)}\n\n")
    files = [folder / f"{name}{ending}" for ending in FORMS]
    folder.mkdir(parents=True, exist_ok=True)
    for file, form in zip(files, FORMS.values(), strict=True):
        file.write_text(f"{form(table).rstrip()}\n")
    return files


if __name__ == "__main__":
    main(*given("data_cache/paper", "tables"))
