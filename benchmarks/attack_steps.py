"""Whether the demo's attack is long enough: `python -m benchmarks.attack_steps` doubles its steps."""

from collections.abc import Mapping
from dataclasses import replace

from benchmarks.figure import Figure, machine, print_line
from purigeom import demo
from purigeom.catalog import CLASSIFIERS
from purigeom.images import Digits
from purigeom.measurements.survival import Survival
from purigeom.noise import Noise
from purigeom.protocols import RandomMap
from purigeom.schema import SURVIVED

GOAL = 2


def attack_doubling_points(purifiers: Mapping[str, RandomMap] = demo.PURIFIERS, images: Digits = demo.IMAGES) -> Figure:
    """Attack every purifier of the demo with its steps and with twice as many; return the largest change."""
    short, long = demo.ATTACK.steps, 2 * demo.ATTACK.steps
    changes = {
        name: survival_percent(purifier, images, long) - survival_percent(purifier, images, short)
        for name, purifier in purifiers.items()
    }
    most = max(changes, key=lambda name: abs(changes[name]))
    how = (
        f"largest change of survival, in percentage points, over {len(changes)} purifiers from {short} to {long} steps "
        f"of {demo.ATTACK!r}: {changes[most]:+.2f} for {most!r}; {len(images)} held-out digits (one is "
        f"{100 / len(images):.2f} points), radius {demo.RADIUS}, one draw, known randomness, same start; shipped "
        f"networks, {machine()}; all: {', '.join(f'{name} {change:+.2f}' for name, change in changes.items())}"
    )
    value = round(abs(changes[most]), 5)
    return Figure("attack_doubling_points", value, GOAL, value < GOAL, how)


def survival_percent(purifier: RandomMap, images: Digits, steps: int) -> float:
    """Return how many of the images, in percent, survive the demo's attack with the given steps."""
    batch = images.load()
    measurement = Survival(CLASSIFIERS["digits"], (demo.RADIUS,), replace(demo.ATTACK, steps=steps))
    answer = measurement(purifier, batch, Noise(0, batch.image_ids))
    return 100 * float(answer[SURVIVED.name].mean())


if __name__ == "__main__":
    print_line(attack_doubling_points())
