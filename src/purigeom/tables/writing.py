"""A small table of words, and how it is written down."""

import csv
import io
from dataclasses import dataclass

_LATEX = str.maketrans(
    {"%": r"\%", "&": r"\&", "_": r"\_", "#": r"\#", "±": r"$\pm$", "→": r"$\to$", "<": "$<$", ">": "$>$"}
)


@dataclass(frozen=True)
class Table:
    """Words in rows and columns, under a title."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def markdown(table: Table) -> str:
    """Return the table for a page, its title above it.

    Examples
    --------
    >>> print(markdown(Table("Lengths", ("purifier", "l2"), (("ddpm", "1.2"),))))
    **Lengths**
    <BLANKLINE>
    | purifier | l2 |
    |---|---|
    | ddpm | 1.2 |
    """
    lines = [table.columns, ["---"] * len(table.columns), *table.rows]
    body = [f"|{'|'.join(line)}|" if place == 1 else f"| {' | '.join(line)} |" for place, line in enumerate(lines)]
    return "\n".join([f"**{table.title}**", "", *body])


def comma_separated(table: Table) -> str:
    """Return the table for a spreadsheet, without its title."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([table.columns, *table.rows])
    return text.getvalue()


def latex(table: Table) -> str:
    r"""Return the table as LaTeX of the booktabs package.

    Examples
    --------
    >>> print(latex(Table("Lengths", ("purifier", "l2"), (("ddpm_100", "1 ± 2"),))).splitlines()[-4])
    ddpm\_100 & 1 $\pm$ 2 \\
    """
    lines = [f"{' & '.join(cell.translate(_LATEX) for cell in line)} \\\\" for line in (table.columns, *table.rows)]
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{table.title.translate(_LATEX)}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(table.columns) - 1)}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )
