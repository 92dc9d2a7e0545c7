"""Every benchmark runs at a tiny size and prints a valid line; what it measures there means nothing."""

import contextlib
import ctypes
import gc
import os
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DModel

from benchmarks import attack_steps, gradient, noise, straight_way
from benchmarks.figure import (
    Figure,
    at_least,
    at_most,
    in_fresh_process,
    median_ratio,
    median_seconds,
    peak_growth,
    print_line,
)
from benchmarks.networks import CIFAR, LEAN, random_network
from purigeom.images import Digits
from purigeom.purifiers.identity import Identity
from tests.figures import check_line, here

TINY = {
    "noise_share": {"batch": 1, "steps": 1, "repeats": 1},
    "noise_share_lean": {"batch": 2, "steps": 2, "repeats": 2},
    "compression_overhead": {"batch": 2, "steps": 2, "probes": 2, "repeats": 2},
    "gradient_memory_growth": {"steps": (1, 2), "batch": 2, "repeats": 1},
    "gradient_memory_growth_full_graph": {"steps": (1, 2), "batch": 2, "repeats": 1},
    "store_open_seconds": {"units": 8},
    "store_read_seconds": {"units": 8},
}
MINUTES = {"demo_compute_seconds", "demo_again_seconds"}


@pytest.mark.parametrize("name", TINY)
def test_a_figure_of_the_straight_way_prints_a_valid_line(name, capsys, monkeypatch):
    monkeypatch.setattr(noise, "CIFAR", {**CIFAR, "block_out_channels": (32, 32, 32, 32)})
    monkeypatch.setattr(gradient, "in_fresh_process", lambda *peak: 1 + here(*peak))  # used memory grows by 0
    monkeypatch.setattr(straight_way, "in_fresh_process", here)
    print_line(straight_way.FIGURES[name](**TINY[name]))
    check_line(capsys.readouterr().out, name)


def test_the_published_architecture_has_as_many_weights_as_its_checkpoint():
    with torch.device("meta"):
        network = UNet2DModel(**CIFAR)
    assert sum(parameter.numel() for parameter in network.parameters()) == 35_746_307


def test_memory_is_measured_in_another_process():
    assert in_fresh_process(os.getpid) != os.getpid()


def test_a_fresh_process_measures_the_memory_of_a_gradient():
    with random_network(LEAN) as network:
        assert in_fresh_process(gradient.chain_gradient_peak, network.checkpoint, 1, 2) > 2**20


def test_every_figure_of_the_straight_way_is_tried_here_or_takes_minutes():
    assert set(straight_way.FIGURES) == set(TINY) | MINUTES


def test_the_command_prints_the_named_figures_only(monkeypatch, capsys):
    figure = Figure("quick", 1.0, None, None, "at once")
    monkeypatch.setattr(straight_way, "FIGURES", {"quick": lambda: figure, "slow": pytest.fail})
    straight_way.main(["quick"])
    check_line(capsys.readouterr().out, "quick")


def test_an_unknown_figure_is_named_before_anything_is_measured():
    with pytest.raises(KeyError, match="no figure 'speed'"):
        straight_way.main(["speed"])


def test_attack_doubling_prints_a_valid_line(capsys):
    print_line(attack_steps.attack_doubling_points({"identity": Identity()}, Digits()[:4]))
    check_line(capsys.readouterr().out, "attack_doubling_points")


def test_a_figure_holds_up_to_its_goal_and_claims_nothing_without_one():
    assert [at_most("name", value, 2, "how").holds for value in (1.9, 2, 2.1)] == [True, True, False]
    assert [at_least("name", value, 2, "how").holds for value in (1.9, 2, 2.1)] == [False, True, True]
    assert at_most("name", 1.0, None, "how").holds is at_least("name", 1.0, None, "how").holds is None


def test_a_figure_keeps_five_digits_however_small_it_is():
    assert [at_most("name", value, None, "how").value for value in (1.234567, 1.234567e-7)] == [1.2346, 1.2346e-7]


@pytest.fixture
def trimmed():
    """Give memory that earlier tests have freed back to the system: what is taken from it again is no growth."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # only the C library of Linux can be asked to
        ctypes.CDLL("libc.so.6").malloc_trim(0)


@pytest.mark.usefixtures("trimmed")
def test_peak_growth_sees_memory_that_is_freed_before_the_call_ends():
    mebibytes = 64
    assert peak_growth(lambda: torch.ones(mebibytes, 2**18).sum()) > 0.9 * mebibytes * 2**20


@pytest.mark.usefixtures("trimmed")
def test_sampled_peak_growth_needs_no_kernel_interface(monkeypatch):
    monkeypatch.setattr("benchmarks.figure._CLEAR", Path("/nowhere/clear_refs"))
    monkeypatch.setattr("benchmarks.figure._STATUS", Path("/nowhere/status"))
    kept = []
    assert peak_growth(lambda: kept.append(torch.ones(64, 2**18))) > 32 * 2**20


def test_times_are_medians_of_as_many_calls_as_asked():
    calls = []
    assert median_seconds(lambda: calls.append("one"), 3) >= 0
    assert median_ratio(lambda: calls.append("one"), lambda: calls.append("other"), 3) > 0
    assert calls[3:] == ["one", "other", "one", "other", "other", "one", "one", "other"]
