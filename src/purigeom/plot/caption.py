"""What a figure's caption says: what is drawn, and the recipe of what it was drawn from."""

import inspect
import json
from collections.abc import Callable, Sequence

import xarray as xr


def opening(draw: Callable[..., object]) -> str:
    """Return what a figure shows, in the words that document how it is drawn."""
    text = inspect.cleandoc(draw.__doc__ or "").partition("\n\nParameters\n")[0]
    said = " ".join(text.split()).removeprefix("Draw ")
    return said[:1].upper() + said[1:]


def caption(results: xr.Dataset, asked: Sequence[str] = ()) -> str:
    """Return the recipe of results: purifiers, and every measurement with its fields, images, seed and precision.

    Parameters
    ----------
    results
        What `purigeom.store.load` returned, which carries its recipe.
    asked
        Labels of the measurements that the figure draws, or their beginnings up to a hyphen; all where none is named.

    Examples
    --------
    >>> question = {"measurement": {"description": "Distances(draws=1)"}, "images": {"description": "Digits()[:8]"}}
    >>> facts = xr.Dataset(attrs={"distances": json.dumps({**question, "seed": 0, "dtype": "float32"})})
    >>> print(caption(facts.assign_coords(purifier=["identity"])))
    1 purifier: identity.
    distances: Distances(draws=1) of Digits()[:8], seed 0, float32.
    """
    names = [str(name) for name in results["purifier"].values.flat] if "purifier" in results.coords else []
    lines = [f"{len(names)} purifier{'s'[: len(names) != 1]}: {', '.join(names)}."] if names else []
    for label, question in _questions(results).items():
        if not asked or any(label == one or label.startswith(f"{one}-") for one in asked):
            measurement, images = (question[part]["description"] for part in ("measurement", "images"))
            lines.append(f"{label}: {measurement} of {images}, seed {question['seed']}, {question['dtype']}.")
    return "\n".join(lines)


def _questions(results: xr.Dataset) -> dict[str, dict[str, dict[str, str]]]:
    """Return every stored question by its measurement's label; other attributes are none."""
    found = {str(name): text for name, text in results.attrs.items() if str(text).startswith("{")}
    questions = {name: json.loads(text) for name, text in found.items()}
    return {name: one for name, one in questions.items() if isinstance(one, dict) and "measurement" in one}
