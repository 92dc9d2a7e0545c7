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
from purigeom.tables.writing import comma_separated, latex, markdown

FORMS = {".md": markdown, ".csv": comma_separated, ".tex": latex}
"""How a table is written, by the ending of its file."""


def main(root: Path, folder: Path) -> list[Path]:
    """Write the tables that a store has facts for, print them and say which it has none for; return the files."""
    results, written = store.load(root).load(), []
    folder.mkdir(parents=True, exist_ok=True)
    deepest = partial(claims, depth=float(results["depth"].max()))
    for name, table_of in {**TABLES, "claims": claims, "claims_at_the_deepest": deepest}.items():
        try:
            table = table_of(results)
        except (KeyError, ValueError) as error:
            sys.stderr.write(f"{name} left out: {error}\n")
            continue
        sys.stdout.write(f"{markdown(table)}\n\n")
        for ending, form in FORMS.items():
            path = folder / f"{name}{ending}"
            path.write_text(f"{form(table).rstrip()}\n")
            written.append(path)
    return written


if __name__ == "__main__":
    main(*given("data_cache/paper", "tables"))
