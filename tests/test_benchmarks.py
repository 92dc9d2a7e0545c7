"""Every benchmark runs at a tiny size and prints a valid line; what it measures there means nothing."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DModel

from benchmarks import attack_steps, geometry, gradient, memory, noise, peers, straight_way
from benchmarks.cases import SETTINGS, Setting, prepared
from benchmarks.counts import lanczos_products, propack_products, randomised_products
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
from benchmarks.spectra import Study, known, runs
from purigeom.geometry.matrices import Dense
from purigeom.images import Digits
from purigeom.noise import Noise
from purigeom.procedural import Procedural
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.identity import Identity

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
TINY_UNET = {
    **LEAN,
    "sample_size": 8,
    "block_out_channels": (8, 8),
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
    "attention_head_dim": 4,
    "norm_num_groups": 4,
}
TINY_SETTING = Setting(TINY_UNET, batch=2, steps=2, repeats=1, has_goals=True)
STUDIES = {
    "top10_error": {},
    "share_error_points": {},
    "rms_error": {},
    "products_for_1pct_top20": {},
    "products_for_1pct_top20.randomised": {},
    "products_for_1pct_top20.propack": {},
    "exact_cost_per_dimension": {"repeats": 1, "rounds": 2},
    "linear_control_variate.8/255": {"probes": 3},
}


@pytest.mark.parametrize("name", TINY)
def test_a_figure_of_the_straight_way_prints_a_valid_line(name, capsys, monkeypatch):
    monkeypatch.setattr(noise, "CIFAR", {**CIFAR, "block_out_channels": (32, 32, 32, 32)})
    monkeypatch.setattr(gradient, "in_fresh_process", lambda *peak: 1 + _here(*peak))  # used memory grows by 0
    monkeypatch.setattr(straight_way, "in_fresh_process", _here)
    print_line(straight_way.FIGURES[name](**TINY[name]))
    _check_line(capsys.readouterr().out, name)


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
    _check_line(capsys.readouterr().out, "quick")


def test_an_unknown_figure_is_named_before_anything_is_measured():
    with pytest.raises(KeyError, match="no figure 'speed'"):
        straight_way.main(["speed"])


@pytest.fixture(scope="module")
def study():
    with random_network(TINY_UNET) as network:
        yield Study(DDPM(network, depth=100, steps=2), Procedural(size=8)[:2], starts=2)


@pytest.mark.parametrize("name", geometry.PRODUCTS)
def test_a_figure_of_products_prints_a_valid_line(name, capsys, monkeypatch):
    monkeypatch.setitem(SETTINGS, "big", TINY_SETTING)
    geometry.main([name])
    _check_line(capsys.readouterr().out, name)


@pytest.mark.parametrize("name", STUDIES)
def test_a_figure_of_spectra_prints_a_valid_line(name, capsys, study):
    print_line(geometry.CHAINS[name](study, **STUDIES[name]))
    _check_line(capsys.readouterr().out, name)


def test_the_memory_of_products_prints_a_valid_line(capsys, monkeypatch):
    monkeypatch.setattr(memory, "in_fresh_process", lambda *peak: 1 + _here(*peak))  # used memory grows by 0
    print_line(memory.chain_memory_growth(steps=(1, 2), batch=1, vectors=1, repeats=1))
    _check_line(capsys.readouterr().out, "chain_memory_growth")


def test_every_figure_of_the_geometry_is_tried_here():
    assert set(geometry.FIGURES) == {*geometry.PRODUCTS, *STUDIES, "chain_memory_growth"}
    products = [f"{kind}.{count}" for kind in ("push_cost", "pull_cost", "push_vs_torch_func") for count in (8, 32)]
    assert {*products, "push_vs_whole_chain_vmap.32", "push_vs_autograd_functional.8"} < set(geometry.PRODUCTS)


def test_goals_are_for_the_published_architecture(monkeypatch):
    assert {name: setting.has_goals for name, setting in SETTINGS.items()} == {"big": True, "lean": False}
    monkeypatch.setitem(SETTINGS, "lean", replace(TINY_SETTING, has_goals=False))
    assert geometry.PRODUCTS["push_cost.8"](network="lean").goal is None


@pytest.mark.parametrize("peer", [peers.torch_func, peers.whole_chain, peers.autograd_functional])
def test_peers_push_what_we_push(peer):
    with prepared(TINY_SETTING, 3) as case:
        torch.testing.assert_close(peer(case.jacobian, case.vectors), case.jacobian.push(case.vectors))


def test_bare_calls_are_those_of_the_chain():
    with prepared(TINY_SETTING, 1) as case:
        assert [level for _, level in case.calls] == [99, 0]
        torch.testing.assert_close([state for state, _ in case.calls], case.jacobian.states[1:-2])


def test_runs_take_the_products_that_they_claim_and_the_purifier_keeps_its_noise(study):
    found = runs(study)
    assert [one.products.tolist() for one in found] == [[104, 104]] * study.starts
    assert not torch.equal(found[0].triplets.right, found[1].triplets.right)
    assert known(study) is known(study)


@pytest.mark.parametrize("products", [lanczos_products, randomised_products, propack_products])
def test_counted_products_suffice_for_a_steep_spectrum(products):
    values = 0.7 ** torch.arange(60)
    count = products(Dense(torch.diag(values)[None]), values[None].double(), Noise(0, (0,)))
    assert 40 <= count <= 80


def test_an_unknown_figure_of_the_geometry_is_named_before_anything_is_measured():
    with pytest.raises(KeyError, match="no figure 'speed'"):
        geometry.main(["speed"])


def test_attack_doubling_prints_a_valid_line(capsys):
    print_line(attack_steps.attack_doubling_points({"identity": Identity()}, Digits()[:4]))
    _check_line(capsys.readouterr().out, "attack_doubling_points")


def test_a_figure_holds_up_to_its_goal_and_claims_nothing_without_one():
    assert [at_most("name", value, 2, "how").holds for value in (1.9, 2, 2.1)] == [True, True, False]
    assert [at_least("name", value, 2, "how").holds for value in (1.9, 2, 2.1)] == [False, True, True]
    assert at_most("name", 1.0, None, "how").holds is at_least("name", 1.0, None, "how").holds is None


def test_a_figure_keeps_five_digits_however_small_it_is():
    assert [at_most("name", value, None, "how").value for value in (1.234567, 1.234567e-7)] == [1.2346, 1.2346e-7]


def test_peak_growth_sees_memory_that_is_freed_before_the_call_ends():
    mebibytes = 64
    assert peak_growth(lambda: torch.ones(mebibytes, 2**18).sum()) > 0.9 * mebibytes * 2**20


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


def _here(function, *arguments):
    return function(*arguments)


def _check_line(printed, name):
    (line,) = printed.splitlines()
    found = json.loads(line)
    assert list(found) == ["figure", "value", "goal", "holds", "how"]
    assert found["figure"] == name
    assert found["value"] >= 0
    assert (found["goal"] is None) == (found["holds"] is None)
    assert found["how"]
