"""Every figure of attacks is taken at a tiny size, and what it stands on is what it says."""

import importlib.util

import pytest
import torch

from benchmarks import attack_gaps, attack_gradients, attack_peers, attacks
from benchmarks.attack_gaps import PAIRS
from benchmarks.attack_gradients import asked, brightness
from benchmarks.attack_peers import MissingPeerError, torchattacks
from benchmarks.figure import print_line
from benchmarks.networks import LEAN, random_network
from purigeom.attacks.losses import climbing
from purigeom.defence.gradients import FullGraph
from tests.figures import check_line, here
from tests.test_geometry_benchmarks import TINY_UNET

TINY = {
    "exact_gradient_cost.20": (attack_gradients.exact_gradient_cost, {"steps": 20, "batch": 1, "repeats": 1}),
    "exact_gradient_memory_growth": (
        attack_gradients.exact_gradient_memory_growth,
        {"steps": (1, 2), "batch": 1, "repeats": 1},
    ),
    "exact_gradient_memory_vs_full_graph.2": (
        attack_gradients.exact_gradient_memory_vs_full_graph,
        {"steps": 2, "batch": 1, "repeats": 1},
    ),
    "eot_batched_time_vs_serial": (attack_gradients.eot_batched_time_vs_serial, {"draws": 2, "repeats": 1}),
}
PEERS = {
    "pgd_time_vs_torchattacks": (attack_peers.pgd_time_vs_torchattacks, {"images": 2, "steps": 1, "repeats": 1}),
    "pgd_memory_vs_torchattacks": (attack_peers.pgd_memory_vs_torchattacks, {"images": 2, "steps": 1}),
    **{f"robust_accuracy_gap.{kind}": (attack_gaps.robust_accuracy_gap, {"kind": kind, "images": 2}) for kind in PAIRS},
}
NO_PEER = importlib.util.find_spec("torchattacks") is None


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(attack_gradients, "SMALL", {**TINY_UNET, "sample_size": 32})
    monkeypatch.setattr(attack_gradients, "CIFAR", {**TINY_UNET, "sample_size": 32})
    for module in (attack_gradients, attack_peers):
        monkeypatch.setattr(module, "in_fresh_process", lambda *peak: max(1, here(*peak)))  # memory may shrink


@pytest.mark.parametrize("name", TINY)
def test_a_figure_of_gradients_prints_a_valid_line(name, capsys):
    figure, size = TINY[name]
    print_line(figure(**size))
    check_line(capsys.readouterr().out, name)


@pytest.mark.skipif(NO_PEER, reason="torchattacks is not installed: pip install --no-deps torchattacks")
@pytest.mark.parametrize("name", PEERS)
def test_a_figure_of_peers_prints_a_valid_line(name, capsys):
    figure, size = PEERS[name]
    print_line(figure(**size))
    check_line(capsys.readouterr().out, name)


@pytest.mark.skipif(NO_PEER, reason="torchattacks is not installed: pip install --no-deps torchattacks")
def test_the_figure_of_autoattack_prints_a_valid_line(capsys):
    pytest.importorskip("pyautoattack", reason="pyautoattack is not installed: pip install --no-deps pyautoattack")
    print_line(attack_gaps.autoattack_gap(images=2, radius=0.5))
    check_line(capsys.readouterr().out, "robust_accuracy_gap.autoattack-standard")


def test_every_figure_of_attacks_is_tried_here():
    tried = {name.partition(".")[0] for name in (*TINY, *PEERS)}
    assert {name.partition(".")[0] for name in attacks.FIGURES} == tried
    assert {"exact_gradient_cost.100", "exact_gradient_memory_vs_full_graph.50"} < set(attacks.FIGURES)


@pytest.mark.skipif(not NO_PEER, reason="torchattacks is installed")
def test_a_missing_peer_is_named_and_other_figures_go_on(capsys, monkeypatch):
    with pytest.raises(MissingPeerError, match="torchattacks, which is not installed"):
        torchattacks("PGD", torch.nn.Identity())
    attacks.main(["robust_accuracy_gap.pgd", "robust_accuracy_gap.autoattack-standard"])
    said = capsys.readouterr().err
    assert "robust_accuracy_gap.pgd left out" in said
    assert "robust_accuracy_gap.autoattack-standard left out" in said


def test_both_gradients_are_the_same():
    with random_network({**LEAN, "block_out_channels": (8, 8)}) as network:
        found = []
        for target, batch in (asked(network, 3, 2), asked(network, 3, 2, FullGraph())):
            found.append(target.slope(batch.images, climbing("ce", batch.labels))[1])
    assert found[0].abs().max() > 0
    torch.testing.assert_close(*found)


def test_brightness_is_three_logits():
    assert brightness().load()(torch.ones(2, 3, 4, 4)).shape == (2, 3)


def test_an_unknown_figure_of_attacks_is_named_before_anything_is_measured():
    with pytest.raises(KeyError, match="no figure 'speed'"):
        attacks.main(["speed"])
