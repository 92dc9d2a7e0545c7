"""The command line: thin over the Python interface, and quick to say what it can do."""

import signal
import sys
import traceback
from typing import Annotated

import typer

from purigeom import model_commands, store_commands

application = typer.Typer(
    help="Measure how adversarial purifiers compress image space, and what robustness that leaves.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
application.add_typer(model_commands.application, name="models")
application.add_typer(store_commands.application)
Classifier = Annotated[
    str, typer.Option(help="Catalogue name, path.py:OBJECT, file of weights[:ARCHITECTURE] or robustbench:ID.")
]
Images = Annotated[str, typer.Option(help="NAME[:COUNT], file.npz[:COUNT], or a folder or zip of pictures[:COUNT].")]
Labelled = Annotated[
    str, typer.Option(help="Labelled: NAME[:COUNT], file.npz[:COUNT], or a folder or zip of pictures[:COUNT].")
]
Workers = Annotated[int, typer.Option(help="Worker processes of this machine; none computes here.")]
Dask = Annotated[str, typer.Option(help="Address of a Dask scheduler, or local:N for N workers of its own.")]
Slurm = Annotated[str, typer.Option(help="jobs=N,folder=PATH,NAME=VALUE,...: an array that asks Slurm for these.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing while measuring.")]


@application.command()
def demo(
    out: Annotated[str, typer.Option(help="Folder for store, figures and report.")] = "data_cache/demo",
    quiet: Quiet = False,
) -> None:
    """Measure a compression-robustness curve on handwritten digits, in minutes."""
    from purigeom.demo import demonstrate
    from purigeom.naming import folder_named

    outcome = demonstrate(folder_named(out), quiet=quiet)
    typer.echo(f"{outcome.report} ({outcome.seconds:.0f} s), figures beside it, facts in {outcome.store}")


@application.command()
def measure(
    purifiers: Annotated[list[str], typer.Argument(help="Catalogue names, or path.py:OBJECT.")],
    images: Images = "digits:128",
    vary: Annotated[str, typer.Option(help="FIELD=FIRST:LAST:COUNT, such as depth=10:220:5.")] = "",
    out: Annotated[str, typer.Option(help="Store to fill: a folder, or a URL such as s3://bucket/study.")] = (
        "data_cache/measure"
    ),
    measurement: Annotated[list[str], typer.Option(help="What to measure; repeat for several.")] = ["compression"],
    classifier: Classifier = "digits",
    attack: Annotated[str, typer.Option(help="Attack of `survival`.")] = "pgd-linf",
    displacement: Annotated[str, typer.Option(help="Displacement of `compression`.")] = "uniform",
    radius: Annotated[list[float], typer.Option(help="Radii of displacement and attack.")] = [8 / 255],
    draws: Annotated[int, typer.Option(help="Random configurations.")] = 1,
    probes: Annotated[int, typer.Option(help="Displacements per image of `compression` and `curvature`.")] = 8,
    tolerance: Annotated[
        list[str], typer.Option(help="FIELD=NUMBER, such as count=4, leading=1e-4, threshold=0.5; repeat for several.")
    ] = [],
    half_precision: Annotated[bool, typer.Option("--half-precision", help="Networks of `leading-spectrum`.")] = False,
    judgements: Annotated[int, typer.Option(help="Fresh configurations that judge each attacked image.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of all randomness.")] = 0,
    device: Annotated[str, typer.Option(help="Where to compute.")] = "cpu",
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = "float32",
    precision: Annotated[str, typer.Option(help="Of diffusion networks: full, bfloat16 or float16.")] = "full",
    rows_at_once: Annotated[
        int, typer.Option(help="Of networks, however many there are: numbers then depend on no unit, part or batch.")
    ] = 0,
    workers: Workers = 0,
    dask: Dask = "",
    slurm: Slurm = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what it would cost.")] = False,
    quiet: Quiet = False,
) -> None:
    """Measure purifiers into a store, and print the means."""
    from purigeom import commands
    from purigeom.executors import chosen
    from purigeom.questions import Asked

    questions = (tuple(measurement), classifier, attack, displacement, tuple(radius), draws, probes)
    asked = Asked(*questions, tuple(tolerance), half_precision, judgements, rows_at_once)
    where = commands.Where(out, seed, device, dtype, chosen(workers, dask, slurm), quiet, precision)
    say = commands.foretold if dry_run else commands.measured
    typer.echo(say(purifiers, vary, images, asked, where))


@application.command()
def contract(
    purifier: Annotated[str, typer.Argument(help="Catalogue name or path.py:OBJECT.")],
    images: Images = "digits:4",
    seed: Annotated[int, typer.Option(help="Seed of all randomness.")] = 0,
) -> None:
    """Test whether a purifier keeps the laws that measurements rely on, and has the derivatives it declares."""
    from purigeom import commands

    typer.echo(commands.verified(purifier, images, seed))


@application.command()
def diagnose(
    purifier: Annotated[str, typer.Argument(help="Catalogue name or path.py:OBJECT.")],
    images: Images = "digits:4",
    classifier: Classifier = "digits",
    radius: Annotated[float, typer.Option(help="How far attacks will go, in the linf norm.")] = 8 / 255,
    seed: Annotated[int, typer.Option(help="Seed of all randomness.")] = 0,
) -> None:
    """Say why attacks by gradients may tell nothing: hidden randomness, test-time optimisation, bad gradients."""
    from purigeom import commands

    typer.echo(commands.diagnosis(purifier, images, classifier, radius, seed))


@application.command()
def predict(
    purifier: Annotated[str, typer.Argument(help="Catalogue name or path.py:OBJECT.")],
    images: Labelled = "digits:128",
    classifier: Classifier = "digits",
    calibration: Annotated[str, typer.Option(help="Name of a shipped one, or a file.")] = "digits-linf-0.1",
    half_width: Annotated[
        float, typer.Option(help="Take no more images than half the 90 % interval needs to be as narrow; 0 takes all.")
    ] = 0.0,
) -> None:
    """Predict a purifier's robust accuracy by forward passes alone, with an interval."""
    from purigeom import foresight

    typer.echo(foresight.predicted(purifier, images, classifier, calibration, half_width or None))


@application.command()
def calibrate(
    purifiers: Annotated[list[str] | None, typer.Argument(help="To learn from; the zoo unless given.")] = None,
    network: Annotated[str, typer.Option(help="Diffusion checkpoint of the zoo.")] = "digits-ddpm",
    images: Labelled = "digits:128",
    classifier: Classifier = "digits",
    radius: Annotated[list[float], typer.Option(help="linf radii of the threat.")] = [0.1, 0.2],
    out: Annotated[str, typer.Option(help="Folder for the store and the calibrations.")] = "data_cache/calibrate",
    workers: Workers = 0,
    dask: Dask = "",
    slurm: Slurm = "",
) -> None:
    """Measure and attack many purifiers, so that others need not be attacked."""
    from purigeom import foresight
    from purigeom.executors import chosen

    threat = foresight.Threat(images, classifier, tuple(radius))
    typer.echo(foresight.calibrated(purifiers or [], network, threat, out, chosen(workers, dask, slurm)))


@application.command(name="list")
def list_(
    room: Annotated[
        str | None, typer.Argument(help="purifiers, attacks, displacements, classifiers or images; all unless given.")
    ] = None,
) -> None:
    """Show everything that has a name; of purifiers where they come from, what they declare and what they cost."""
    from purigeom import listing

    typer.echo(listing.catalogue(room))


_KEPT = dict.fromkeys(("demo", "measure", "calibrate"), "; what was answered is stored, run again to go on")
MISTAKES = (ValueError, KeyError, TypeError, OSError, AttributeError, RuntimeError, ImportError)


def _unreachable(error: Exception) -> bool:
    """Return whether a store's network said so, in a way of its own."""
    from purigeom.store.places import refused

    return refused(error)


def _printable(text: str) -> str:
    """Return a text in which nothing but its lines tells a terminal what to do: a path or a name may hold anything."""
    return "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in text)


def main() -> None:
    """Run the command line; a mistake of the user's gets a sentence, anything else both this and a traceback."""
    try:
        application()
    except SystemExit as stop:
        if stop.code == 128 + signal.SIGINT:
            sys.stderr.write(f"purigeom: stopped{_KEPT.get(''.join(sys.argv[1:2]), '')}.\n")
        raise
    except Exception as error:
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        if not isinstance(error, MISTAKES) and not _unreachable(error):
            traceback.print_exception(error)
            text = f"{type(error).__name__}: {error}. This is a fault of the last file above: yours, or one to report."
        sys.stderr.write(f"purigeom: {_printable(str(text))}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
