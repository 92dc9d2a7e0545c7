"""What a prediction costs, what it saves, and whether the attacks it learnt from were long enough."""

from collections.abc import Mapping, Sequence

from benchmarks.clock import compute_seconds, one_thread
from benchmarks.figure import Figure, at_most, machine
from purigeom.attacks.adversary import Adversary
from purigeom.attacks.apgd import APGD
from purigeom.attacks.pgd import PGD
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.images import Digits
from purigeom.measurements.compression import Compression
from purigeom.measurements.margins import Margins
from purigeom.measurements.minimal_perturbation import MinimalPerturbation
from purigeom.measurements.survival import Survival
from purigeom.noise import Noise
from purigeom.predict import PATIENT_STEPS, STEPS, forward_questions, purifications
from purigeom.protocols import Batch, Measurement, RandomMap, declaration
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.zoo import zoo

DIGITS = CLASSIFIERS["digits"]
PURIFIER = DDPM(DIGITS_UNET, depth=100, steps=6)
NEEDED: Mapping[str, tuple[type, ...]] = {
    "compression": (Compression,),
    "effective radius": (Compression, MinimalPerturbation),
    "margin spread": (Margins,),
    "moved pixels": (Margins,),
    "both reaches": (Compression, MinimalPerturbation, Margins),
}
"""Which measurements a predictor needs; one that is not listed needs all."""
CONVERGED = ("identity", "variation 0.1", "jpeg 30", "jpeg 60", "ddpm 50", "ddpm 140", "reverse-only 200")


def seconds(name: str, radius: float, images: int = 128) -> Figure:
    """Return how long measuring what a predictor needs takes."""
    asked = [one for one in forward_questions(DIGITS, (radius,)) if isinstance(one, NEEDED.get(name, type(one)))]
    batch = Digits()[:images].load()
    noise = Noise(0, batch.image_ids)

    def measure() -> None:
        for question in asked:
            question(PURIFIER, batch, noise)

    with one_thread():
        value = compute_seconds(measure)
        how = f"one thread's seconds for {images} digits, {PURIFIER!r}: {_said(asked)}; {machine()}"
    return at_most(f"seconds.{name.replace(' ', '-')}", value, 60, how)


def attack_evaluations(attack: Adversary, steps: int, images: int = 2) -> Figure:
    """Return how many network evaluations an image costs under the attack that predictions replace."""
    batch = Digits()[:images].load()
    counts = [_evaluations(PGD(short), attack, batch) for short in (1, 2)]
    value = counts[0] + (steps - 1) * (counts[1] - counts[0])
    how = (
        f"network evaluations inside the purifier per image, recomputation included: PGD of 1 and of 2 steps, "
        f"{attack.knowledge.label}, ask {counts}; {steps} steps by adding up; {PURIFIER!r}"
    )
    return at_most(f"attack_evaluations.pgd-{steps}-{attack.knowledge.label}", value, None, how)


def prediction_evaluations(radius: float) -> Figure:
    """Return how many network evaluations an image costs where robustness is predicted."""
    passes = purifications((radius,))
    how = f"{passes} purifications of {PURIFIER.steps} steps for all predictors together, none of them differentiated"
    return at_most("prediction_evaluations", passes * (PURIFIER.steps or 0), None, how)


def steps_converged(images: int = 64) -> Figure:
    """Return how much twice the steps of the calibrating attack change survival."""
    batch, purifiers = Digits()[:images].load(), zoo(DIGITS_UNET)
    found = {}
    for name in CONVERGED:
        steps = STEPS if declaration(purifiers[name]).network else PATIENT_STEPS
        found[name] = [100 * _survival(purifiers[name], batch, one, 0.2) for one in (steps, 2 * steps)]
    value = max(abs(short - long) for short, long in found.values())
    how = (
        f"largest change of survival in points by twice the steps of APGD-CE ({STEPS} through networks, else "
        f"{PATIENT_STEPS}), radius 0.2, {images} digits: {found}"
    )
    return at_most("steps_converged", value, 2, how)


def _survival(purifier: RandomMap, batch: Batch, steps: int, radius: float) -> float:
    answer = Survival(DIGITS, (radius,), APGD(steps))(purifier, batch, Noise(0, batch.image_ids))
    return float(answer["survived"].mean())


def _evaluations(attack: PGD, told: Adversary, batch: Batch) -> int:
    question = Survival(DIGITS, (0.1,), Adversary(attack, told.knowledge, told.gradient))
    return int(question(PURIFIER, batch, Noise(0, batch.image_ids))["network_evaluations"].values.flat[0])


def _said(asked: Sequence[Measurement]) -> str:
    return ", ".join(question.label for question in asked)
