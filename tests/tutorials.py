"""How tests run a percent script: cell by cell, as a notebook does."""

import ast
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt

FOLDER = Path(__file__).parents[1] / "docs" / "tutorials"


@dataclass(frozen=True)
class Ran:
    """A tutorial's names after its last cell, and what its cells showed."""

    names: dict
    shown: list

    def __getitem__(self, name):
        return self.names[name]


def cells(name):
    """Return kind, first line and text of every cell."""
    found, lines = [], (FOLDER / f"{name}.py").read_text().splitlines()
    for number, line in enumerate(lines):
        if line.startswith("# %%"):
            found.append((line.removeprefix("# %%").strip(), number + 1, []))
        else:
            found[-1][2].append(line)
    return [(kind, first, "\n".join(text)) for kind, first, text in found]


def shown_by(first, text, names, path):
    """Run one cell as a notebook does; return the value of its last line, None where that is no expression."""
    body = ast.parse("\n" * first + text).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), path, "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), path, "eval"), names)


def executed(name, folder):
    names, shown = {"__name__": name}, []
    with chdir(folder):
        for kind, first, text in cells(name):
            if not kind:
                shown.append(shown_by(first, text, names, str(FOLDER / f"{name}.py")))
    plt.close("all")
    return Ran(names, [value for value in shown if value is not None])
