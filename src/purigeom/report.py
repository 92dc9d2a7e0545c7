"""One page that shows a study: figures and a table in a single file that opens from disk."""

import html
from collections.abc import Mapping, Sequence

import xarray as xr

from purigeom.calibration import Calibration, held_out_errors
from purigeom.judging import judged
from purigeom.means import estimates

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; } th { cursor: pointer; }
figure { margin: 1rem 0; } figcaption { color: #555; font-size: 13px; } svg { max-width: 100%; height: auto; }
""".strip()
_SORT = """
for (const head of document.querySelectorAll("th")) head.onclick = () => {
  const body = head.closest("table").tBodies[0], column = head.cellIndex;
  const number = row => Number.parseFloat(row.cells[column].textContent);
  const text = row => row.cells[column].textContent;
  const rows = [...body.rows], numeric = rows.some(row => !Number.isNaN(number(row)));
  rows.sort((a, b) => numeric ? number(b) - number(a) : text(a).localeCompare(text(b)));
  body.append(...rows);
};
""".strip()
_COLUMNS = {
    "compression_ratio": "compression",
    "l2_distance": "l2 to clean",
    "ssim": "SSIM",
    "classified": "clean accuracy",
}

_COSTS = {
    "gradient_calls": "gradients per image",
    "purifications": "purifications",
    "network_evaluations": "network evaluations in the purifier",
    "gradient_broken": "broken gradients",
}
_UNITS = (
    "<p>Costs are per image: a gradient is one backward pass, over however many draws; a purification is one draw's; "
    "network evaluations are the purifier's, recomputed ones included.</p>"
)


def page(title: str, sections: Sequence[tuple[str, str]]) -> str:
    """Return a self-contained page of headed sections, whose bodies are markup."""
    body = "\n".join(f"<h2>{html.escape(heading)}</h2>\n{content}" for heading, content in sections)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>\n'
        f"<style>{_STYLE}</style></head>\n<body><h1>{html.escape(title)}</h1>\n{body}\n"
        f"<script>{_SORT}</script></body></html>\n"
    )


def figure(svg: str, caption: str) -> str:
    """Return a drawn figure above its caption."""
    return f"<figure>{svg}<figcaption>{html.escape(caption)}</figcaption></figure>"


def table(results: xr.Dataset) -> str:
    """Return one row per purifier: every mean that is there once, with its standard error.

    What survives is told by `attacks`, beside who attacked.
    """
    means = estimates(results)
    means = means.squeeze([dim for dim, size in means.sizes.items() if size == 1 and dim != "purifier"], drop=True)
    names = [name for name in _COLUMNS if name in means and means[name].dims == ("purifier",)]
    heads = "".join(f"<th>{html.escape(_COLUMNS[name])}</th>" for name in names)
    rows = []
    for purifier in means["purifier"].values:
        chosen = means.sel(purifier=purifier)
        cells = [_number(chosen[name].item(), chosen[f"{name}_standard_error"].item()) for name in names]
        rows.append(f"<tr><td>{html.escape(str(purifier))}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return f"<table><thead><tr><th>purifier</th>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def attacks(results: xr.Dataset) -> str:
    """Return one row per purifier, attack and radius: who attacked, at what cost, and what survived."""
    verdicts, costs = estimates(judged(results)), estimates(results[list(_COSTS)])
    names = [str(name) for name in verdicts if not str(name).endswith("_standard_error")]
    heads = "".join(f"<th>{html.escape(head)}</th>" for head in ("attacker", "radius", *_COSTS.values(), *names))
    rows = []
    for place, row in xr.merge([verdicts, costs]).stack(setting=["purifier", "attack", "radius"]).groupby("setting"):
        if not row["pinned configuration"].isnull().all():
            told = [str(place[0]), str(place[1]), f"{place[2]:g}", *(f"{row[cost].item():.4g}" for cost in _COSTS)]
            told += [_number(row[name].item(), row[f"{name}_standard_error"].item()) for name in names]
            rows.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in told) + "</tr>")
    return f"{_UNITS}<table><thead><tr><th>purifier</th>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def fit_sentence(calibration: Calibration) -> str:
    """Say what the sigmoid is, how sure it is, whether something simpler would do and how it does unseen."""
    fit, counted = calibration.fit, calibration.fitted.sizes["purifier"]
    raised = f"{fit.floor:.2f} + {fit.ceiling - fit.floor:.2f}" if fit.floor else f"{fit.ceiling:.2f}"
    choice, unseen = calibration.choice, held_out_errors(calibration).sentence
    criteria = ", ".join(f"{name} {value:.1f}" for name, value in choice.criteria.items())
    return (
        f"<p>survival = {raised} / (1 + exp({fit.slope:.1f} (compression - {fit.midpoint:.2f}))), fitted to "
        f"{counted} purifiers by quasi-binomial likelihood, dispersion {fit.dispersion:.1f}. "
        f"{html.escape(choice.sentence)} QAICc: {html.escape(criteria)}.</p>\n<p>{html.escape(unseen)} The purifiers "
        "share few networks, so they are fewer independent points than they look.</p>"
    )


def definitions(facts: Mapping[str, str]) -> str:
    """Return what made the numbers, as a list of terms."""
    items = "".join(
        f"<tr><td>{html.escape(term)}</td><td>{html.escape(text)}</td></tr>" for term, text in facts.items()
    )
    return f"<table><tbody>{items}</tbody></table>"


def _number(mean: float, error: float) -> str:
    return "" if mean != mean else f"{mean:.3f} ± {error:.3f}"  # noqa: PLR0124  NaN is what differs from itself
