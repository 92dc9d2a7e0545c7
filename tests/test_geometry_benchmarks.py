"""Every figure of the geometry is taken at a tiny size, and what it stands on is what it says."""

from dataclasses import replace

import pytest
import torch

from benchmarks import counts, geometry, memory, peers
from benchmarks.cases import SETTINGS, Setting, prepared
from benchmarks.counts import lanczos_products, propack_products, randomised_products
from benchmarks.figure import print_line
from benchmarks.networks import LEAN, random_network
from benchmarks.spectra import Study, known, runs
from purigeom.geometry.matrices import Dense
from purigeom.noise import Noise
from purigeom.procedural import Procedural
from purigeom.purifiers.diffusion.ddpm import DDPM
from tests.figures import check_line, here

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


@pytest.fixture(scope="module")
def study():
    with random_network(TINY_UNET) as network:
        yield Study(DDPM(network, depth=100, steps=2), Procedural(size=8)[:2], starts=2)


@pytest.fixture(autouse=True)
def few_sketches(monkeypatch):
    monkeypatch.setattr(counts, "OVERSAMPLING", (10, 20))
    monkeypatch.setattr(counts, "POWERS", range(3))


@pytest.mark.parametrize("name", geometry.PRODUCTS)
def test_a_figure_of_products_prints_a_valid_line(name, capsys, monkeypatch):
    monkeypatch.setitem(SETTINGS, "big", TINY_SETTING)
    geometry.main([name])
    check_line(capsys.readouterr().out, name)


@pytest.mark.parametrize("name", STUDIES)
def test_a_figure_of_spectra_prints_a_valid_line(name, capsys, study):
    print_line(geometry.CHAINS[name](study, **STUDIES[name]))
    check_line(capsys.readouterr().out, name)


def test_the_memory_of_products_prints_a_valid_line(capsys, monkeypatch):
    monkeypatch.setattr(memory, "in_fresh_process", lambda *peak: 1 + here(*peak))  # used memory grows by 0
    print_line(memory.chain_memory_growth(steps=(1, 2), batch=1, vectors=1, repeats=1))
    check_line(capsys.readouterr().out, "chain_memory_growth")


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
    assert 40 <= count <= 100


def test_an_unknown_figure_of_the_geometry_is_named_before_anything_is_measured():
    with pytest.raises(KeyError, match="no figure 'speed'"):
        geometry.main(["speed"])
