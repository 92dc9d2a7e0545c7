"""What the commands `predict` and `calibrate` do, as functions that return the text to print."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from purigeom import catalog, store
from purigeom.executors import Executor
from purigeom.identity import digest, recipe
from purigeom.images import loaded
from purigeom.naming import classifier_named, folder_named, images_named, purifier_named
from purigeom.networks.unet import UNet
from purigeom.predict import predict, study
from purigeom.prediction.compared import PREDICTORS, compared
from purigeom.prediction.files import load, save, shipped
from purigeom.prediction.table import tabulated
from purigeom.protocols import Classifier, ImageSet
from purigeom.purifiers.wrapped import as_classifier
from purigeom.sweep import run
from purigeom.zoo import zoo


@dataclass(frozen=True)
class Threat:
    """What a calibration is for: names of images and of the classifier, and linf radii."""

    images: str
    classifier: str
    radii: tuple[float, ...]


def predicted(word: str, images: str, classifier: str, calibration: str, half_width: float | None) -> str:
    """Return what is predicted of a purifier, and by which calibration."""
    behind = as_classifier(classifier_named(classifier, catalog.CLASSIFIERS))
    table = calibration_named(calibration)
    purifier = purifier_named(word, catalog.PURIFIERS)
    answer = predict(purifier, images_named(images, catalog.IMAGES), behind, table, half_width)
    said = [str(answer), f"Calibrated by {calibration!r}: {table.sizes['purifier']} purifiers."]
    return "\n".join(said)


def calibration_named(word: str) -> xr.Dataset:
    """Return a shipped calibration by its name, or one from a file."""
    known = shipped()
    path = known.get(word, Path(word))
    if not path.is_file():
        msg = f"{word!r} is no calibration: choose one of {sorted(known)}, or a file that `purigeom calibrate` made."
        raise ValueError(msg)
    return load(path)


def calibrated(words: Sequence[str], network: str, threat: Threat, out: str, executor: Executor) -> str:
    """Measure and attack purifiers, write one calibration per radius, and say how good its predictors are."""
    root = folder_named(out)
    behind = as_classifier(classifier_named(threat.classifier, catalog.CLASSIFIERS))
    purifiers = {word.rpartition(":")[2]: purifier_named(word, catalog.PURIFIERS) for word in words}
    images = images_named(threat.images, catalog.IMAGES)
    tasks = study(purifiers or zoo(UNet(network)), images, behind, threat.radii)
    stem = Path(threat.images.partition(":")[0]).stem
    paths = {radius: root / f"{stem}-linf-{radius:g}.npz" for radius in threat.radii}
    return calibrations(run(tasks, root / "store", executor), behind, images, paths)


def calibrations(stored: store.Place, classifier: Classifier, images: ImageSet, paths: Mapping[float, Path]) -> str:
    """Write the calibration of every radius to its path, from a store; return where, and the predictors' errors."""
    results = store.load(stored).load()
    return "\n".join(written(results, radius, classifier, images, path) for radius, path in paths.items())


def written(results: xr.Dataset, radius: float, classifier: Classifier, images: ImageSet, path: Path) -> str:
    """Write the calibration of one radius, from facts; return where, and the errors of its predictors."""
    table = tabulated(results, radius)
    table = table.isel(purifier=table["survival"].notnull().values).assign_attrs(
        classifier=repr(classifier),
        classifier_digest=digest(recipe(classifier)),
        attacks=results["attack"].values.tolist(),
        images=repr(images),
        image_shape=list(loaded(images, slice(1)).images.shape[1:]),
    )
    return kept(table, path)


def kept(table: xr.Dataset, path: Path) -> str:
    """Write a calibration; return where, and the errors of its predictors."""
    save(table, path)
    lines = [f"{path}: {table.sizes['purifier']} purifiers of {len(set(table['family'].values))} families"]
    for name in PREDICTORS:
        tried = compared(name, table)
        lines.append(
            f"  {name:18} in sample {tried.in_sample.sentence}; without its family {tried.left_out.sentence}; "
            f"90 % intervals cover {tried.coverage:.0%}"
        )
    return "\n".join(lines)
