"""Train the networks inside purifiers: `python -m analyses.train_zoo NAME ... [--images digits|cifar10]`.

Names: disco, maep, maep-purification, maep-reconstruction, maep-mlm, maep-trades-pixels, maep-trades-latents, dncnn,
energy, energy-published, score, flow, flow-noised, soap; for digits autoencoder, for CIFAR-10 denoising-autoencoder.
For digits each takes minutes of one core and replaces the weights inside the package; CIFAR-10 is for a GPU. What was
stopped goes on where it was, from `data_cache/training`. Prints a line of progress now and then, and at the end the
figures that MODEL_CARD.md quotes; with `--judge` it trains nothing and prints those of the weights that are there.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from analyses.training import parser_of, run_of, say
from purigeom.defence.checks import labels_of
from purigeom.downloads import sha256
from purigeom.images import Cifar, Digits
from purigeom.networks.classifier import ConvNet
from purigeom.networks.files import CHECKOUT, SHIPPED, weights_file
from purigeom.networks.self_supervised import SelfSupervised
from purigeom.protocols import Batch
from purigeom.training.cifar import CRAFTED_IMAGES, JUDGED_IMAGES, RADIUS
from purigeom.training.descent import Run
from purigeom.training.field_plans import FIELD_PLANS, FieldPlan, train_field
from purigeom.training.restorer import Plan, Subject, train_restorer, worth
from purigeom.training.restorer_plans import PLANS
from purigeom.training.soap import SOAP_PLANS, SoapPlan, held_out, train_soap

Planned: TypeAlias = Plan | FieldPlan | SoapPlan
SAY_EVERY = 250
"""Steps between two reports."""
FOLDERS = {"digits": SHIPPED, "cifar10": CHECKOUT}


def subject(images: str, device: str) -> Subject:
    """Return what networks for some images are trained on, and judged on on a device."""
    if images == "digits":
        digits = Digits("train").load(), _placed(Digits("test").load(), device)
        return Subject(*digits, ConvNet("digits-classifier"), radii=(0.1, 0.2), draws=8)
    cifar = Cifar("cifar10", "train").load(), _placed(Cifar("cifar10", "test").load()[:JUDGED_IMAGES], device)
    return Subject(*cifar, ConvNet("cifar10-classifier"), radii=(RADIUS,))


def plans_for(images: str) -> Mapping[str, Planned]:
    """Return what can be trained on some images."""
    return {**PLANS[images], **FIELD_PLANS[images], "soap": SOAP_PLANS[images]}


def trained(folder: Path, about: Subject, plan: Planned, run: Run) -> dict[str, float]:
    """Train one network; return its figures. Those that are shown attacks learn from as many images as are crafted."""
    if isinstance(plan, SoapPlan):
        return train_soap(folder, about.train, about.test, plan, run)
    if isinstance(plan, FieldPlan):
        return train_field(folder, about, plan, run)
    return train_restorer(folder, replace(about, train=about.train[:CRAFTED_IMAGES]), plan, run)


def judged(folder: Path, about: Subject, plan: Planned) -> dict[str, float]:
    """Return the figures of a network: what its purifier is worth, or what its heads get right."""
    if isinstance(plan, SoapPlan):
        return held_out(SelfSupervised(str(folder)), about.test)
    return worth(plan.purifier(str(folder)), about)


def figures(folder: Path, plan: Planned, found: Mapping[str, float]) -> dict[str, object]:
    """Return what is said of a network at the end."""
    file = weights_file(folder)
    rounded = {name: round(value, 4) for name, value in found.items()}
    loss = {"loss": plan.design.loss} if isinstance(plan, Plan) else {}
    named = {"network": folder.name, **loss, **rounded}
    return {**named, "weights_sha256": sha256(file), "bytes": file.stat().st_size}


def main(words: Sequence[str]) -> None:
    """Train what the command line names."""
    found = _parsed(words)
    about, plans = subject(found.images, found.device), plans_for(found.images)
    for name in found.names:
        folder = (found.folder or FOLDERS[found.images]) / f"{found.images}-{name}"
        run = run_of(found, folder.name, half_precision=found.half_precision, every=SAY_EVERY)
        plan = plans[name]
        measured = judged(folder, about, plan) if found.judge else trained(folder, about, plan, run)
        say(figures(folder, plan, measured))


def _parsed(words: Sequence[str]) -> argparse.Namespace:
    parser = parser_of("train_zoo", __doc__)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--images", choices=sorted(PLANS), default="digits")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--half-precision", action="store_true", help="bfloat16 in the layers")
    parser.add_argument("--judge", action="store_true", help="train nothing: say what the weights there are worth")
    found = parser.parse_args(words)
    unknown = sorted(set(found.names) - plans_for(found.images).keys())
    if unknown:
        parser.error(f"{unknown} cannot be trained on {found.images}; choose of {sorted(plans_for(found.images))}")
    return found


def _placed(batch: Batch, device: str) -> Batch:
    return replace(batch, images=batch.images.to(device), labels=labels_of(batch).to(device))


if __name__ == "__main__":
    main(sys.argv[1:])
