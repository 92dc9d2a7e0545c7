"""What the training commands share: their options, the machine they ask for, and how they report progress."""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from purigeom.training.descent import Keep, Run, Watch
from purigeom.training.hardware import Hardware


def parser_of(module: str, about: str | None) -> argparse.ArgumentParser:
    """Return a parser that knows where states are kept and on what to train."""
    parser = argparse.ArgumentParser(prog=f"python -m analyses.{module}", description=about)
    parser.add_argument("--states", type=Path, default=Path("data_cache/training"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compile", action="store_true", help="let torch.compile write the layers anew")
    return parser


def run_of(found: argparse.Namespace, name: str, *, half_precision: bool, every: int) -> Run:
    """Return a run that goes on from its own state and reports every so many steps."""
    torch.set_num_threads(found.threads)
    hardware = Hardware(found.device, half_precision=half_precision, compiled=found.compile)
    return Run(hardware, Keep(found.states / f"{name}.pt"), _reporting(every), name)


def say(what: Mapping[str, object]) -> None:
    """Print one JSON line, at once."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _reporting(every: int) -> Watch:
    def watch(step: int, pace: float, _: nn.Module) -> None:
        if step % every == 0:
            say({"step": step, "steps_per_second": round(pace, 3), "time": round(time.time())})

    return watch
