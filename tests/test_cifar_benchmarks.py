"""Every figure of CIFAR-10 sizes is taken at a tiny size, and what is projected from it is what it says."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks import cifar, cifar_deviations, cifar_peers, cifar_shares, cifar_study, cifar_throughput
from benchmarks.cifar_cases import WAYS, Case, NotHereError, Size, bare, bare_states, case, grey
from benchmarks.cifar_deviations import QUANTITIES, absolute, points, points_of_mean, relative
from benchmarks.cifar_peers import REPOSITORY, VARIABLE, Walk
from benchmarks.cifar_study import PAPER, Study
from benchmarks.networks import described, random_network
from purigeom.answering import exact_arithmetic
from purigeom.measurements.leading_spectrum import LeadingSpectrum
from purigeom.networks.quick import Quick
from purigeom.procedural import Procedural
from purigeom.purifiers.wrapped import wrap
from tests.figures import here
from tests.test_geometry_benchmarks import TINY_UNET

TINY = Size(images=1, steps=1, probes=2, vectors=2, repeats=1, batches=(1, 2))
PEERS = [name for name in cifar.USUAL if name.startswith("full_graph")]


@pytest.fixture(scope="module")
def tiny():
    with random_network({**TINY_UNET, "sample_size": 32}) as network:
        yield Case(network, described(network), TINY)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(cifar_study, "in_fresh_process", lambda *peak: max(1, here(*peak)))  # memory may shrink
    monkeypatch.setattr(cifar_deviations, "MOST_PRODUCTS", 16)
    monkeypatch.setattr(cifar_deviations, "STEPS", 1)
    few = {name: replace(one, images=2) for name, one in QUANTITIES.items()}
    monkeypatch.setattr(cifar_deviations, "QUANTITIES", few)
    mean = wrap(lambda images: images.mean((2, 3)), name="mean colour")
    monkeypatch.setattr(cifar_deviations, "classifier", lambda: mean)
    monkeypatch.setattr(cifar_deviations, "images", lambda count: (Procedural(count, size=32).load(), REAL))
    cifar_deviations.facts.cache_clear()


REAL = cifar_deviations.REAL


def line(name, measured, capsys):
    with exact_arithmetic():
        left_out = cifar.print_figures([name], measured)
    printed = capsys.readouterr().out
    assert not left_out
    return json.loads(printed)


@pytest.mark.parametrize("name", [name for name in cifar.USUAL if name not in PEERS])
def test_a_figure_is_a_line_with_its_own_name_and_says_what_was_measured(name, tiny, capsys):
    found = line(name, tiny, capsys)
    assert found["figure"] == name
    assert found["value"] >= 0
    assert (found["goal"] is None) == (found["holds"] is None)
    assert tiny.words in found["how"]


def test_all_that_the_precisions_change_is_asked_for():
    for name in (
        "compression_throughput_share.full",
        "compression_throughput_share.bfloat16",
        "push_throughput_share.full",
        "pull_throughput_share.bfloat16",
        "bare_images_per_second.channels_last",
        "peak_memory_gb.full",
        "projected_hours.compression.full",
        "projected_hours.pgd_eot.bfloat16",
        "deviation.survival",
    ):
        assert name in cifar.USUAL
    assert "compiled_speedup.bfloat16" not in cifar.USUAL, "compiling takes minutes on a CPU"
    assert "compiled_speedup.bfloat16" in cifar.FIGURES


def test_only_compression_has_a_goal(tiny, capsys):
    assert line("compression_throughput_share.full", tiny, capsys)["goal"] == 0.9
    assert line("push_throughput_share.full", tiny, capsys)["goal"] is None


def test_the_bare_network_computes_what_the_purifiers_network_computes(tiny):
    for name, way in WAYS.items():
        states = bare_states(2, name)
        alone = bare(tiny.network, name)(states, 50).sample.float()
        inside = way.predictor(tiny.network).module(states.device, torch.float32)(states.float(), 50).sample
        torch.testing.assert_close(alone, inside)


def test_bare_states_have_the_type_and_layout_of_their_way():
    assert bare_states(2, "full").is_contiguous()
    assert bare_states(2, "channels_last").is_contiguous(memory_format=torch.channels_last)
    assert bare_states(2, "bfloat16").dtype == torch.bfloat16


def test_a_pull_is_compared_with_the_networks_own_pull(tiny):
    module, states = bare(tiny.network, "full"), bare_states(2, "full")
    (slope,) = cifar_throughput.forward_and_pull(module, states)
    point = states.clone().requires_grad_()
    module(point, 50).sample.sum().backward()
    torch.testing.assert_close(slope, point.grad)


def test_the_search_for_the_best_batch_ends_where_memory_does(tiny, monkeypatch):
    def ask(module, states):
        if len(states) > 2:
            raise torch.OutOfMemoryError
        return states

    wider = replace(tiny, size=replace(TINY, batches=(2, 4, 8)))
    assert cifar_throughput.best(wider, "full", ask).batch == 2
    monkeypatch.setattr(cifar_throughput, "median_seconds", lambda call, repeats: 1.0)
    assert cifar_throughput.best(replace(wider, words="other"), "full", ask).batch == 8


def test_one_image_that_memory_cannot_hold_is_an_error(tiny):
    def ask(module, states):
        raise torch.OutOfMemoryError

    with pytest.raises(torch.OutOfMemoryError):
        cifar_throughput.best(tiny, "full", ask)


def test_a_share_is_one_where_a_measurement_is_the_bare_network(tiny, monkeypatch):
    monkeypatch.setattr(cifar_throughput, "best", lambda *_: cifar_throughput.Best(2, 1.0))
    asked = []

    def ask(module, states):
        asked.append(len(states))

    ticks = iter([16.0, 4.0])  # seconds of the call, then of a quarter of its images: as fast
    monkeypatch.setattr(cifar_throughput, "compute_seconds", lambda call: (call(), next(ticks))[1])
    assert cifar_throughput.share(tiny, "full", ask, lambda: None, asked=32) == 1
    assert asked == [2] * 8, "a quarter of 32 images in batches of two, once to warm up and once on the clock"


def test_the_study_adds_up():
    one = Study(images=2, samplers=3, depths=(10, 20), probes=5, attack_steps=7, draws=11)
    assert one.image_steps == 2 * 3 * 30
    assert math.isclose(one.compression_hours(per_second=100), 2 * 3 * 30 * 5 / 100 / 3600)
    assert math.isclose(one.attack_hours(per_second=100), 2 * 3 * 30 * 7 * 11 / 100 / 3600)
    assert "2 images x 3 samplers x 30 steps (depths 10, 20)" in one.spelled()


def test_the_papers_attack_asks_eighty_times_what_compression_asks():
    assert PAPER.attack_hours(1.0) / PAPER.compression_hours(1.0) == 200 * 20 / 50


def test_projected_hours_are_those_of_the_throughput_that_they_name(tiny, capsys, monkeypatch):
    monkeypatch.setattr(cifar_study, "compression_share", lambda *_: 0.5)
    monkeypatch.setattr(cifar_study, "best", lambda *_: cifar_throughput.Best(1, 20.0))
    found = line("projected_hours.compression.full", tiny, capsys)
    assert found["value"] == pytest.approx(512 * 3 * 570 * 50 / 10 / 3600, rel=1e-4)
    assert "over 10 images x probes x steps per second" in found["how"]


def test_deviations_are_what_their_units_say():
    full, narrow = np.array([2.0, -4.0]), np.array([2.2, -4.0])
    assert relative(full, narrow).round(3).tolist() == [0.1, 0.0]
    assert absolute(full, narrow).round(3).tolist() == [0.2, 0.0]
    assert points(full, narrow).round(3).tolist() == [20.0, 0.0]
    assert points_of_mean(full, narrow).round(3).tolist() == [10.0]


def test_both_spectra_take_as_many_products(tiny):
    question = cifar_deviations.spectrum()
    assert isinstance(question, LeadingSpectrum)
    counts = [cifar_deviations.facts(tiny, way, question, 1)["products"].values.tolist() for way in cifar.PRECISIONS]
    assert counts[0] == counts[1] == [[16]]


def test_the_same_question_is_asked_once_for_two_figures(tiny):
    first, second = (cifar_deviations.facts(tiny, "full", cifar_deviations.spectrum(), 2) for _ in range(2))
    assert first is second


def test_figures_of_a_classifier_are_left_out_with_their_reason(tiny, monkeypatch, capsys):
    def absent():
        msg = "It needs a classifier."
        raise NotHereError(msg)

    monkeypatch.setattr(cifar_deviations, "classifier", absent)
    left_out = cifar.print_figures(["deviation.margin", "deviation.survival"], tiny)
    assert left_out == {"It needs a classifier.": ["deviation.margin", "deviation.survival"]}
    assert not capsys.readouterr().out


def test_no_classifier_is_shown_images_that_it_was_not_trained_on(tiny, monkeypatch):
    monkeypatch.setattr(cifar_deviations, "images", lambda count: (Procedural(count, size=32).load(), "procedural"))
    with pytest.raises(NotHereError, match="CIFAR-10 test images, which are not here"):
        cifar_deviations.deviation("survival", tiny)
    assert cifar_deviations.deviation("compression_ratio", tiny).value >= 0


def test_where_the_published_code_is_looked_for_is_said(tiny, monkeypatch, capsys, tmp_path):
    monkeypatch.delenv(VARIABLE, raising=False)
    (reason,) = cifar.print_figures(PEERS, tiny)
    assert REPOSITORY in reason
    assert f"{VARIABLE} is not set" in reason
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(NotHereError, match="which holds none"):
        cifar_peers.checkout()


def test_published_code_is_run_with_the_same_levels_and_no_more_of_it(tiny, monkeypatch, tmp_path):
    root = tmp_path / REPOSITORY
    (root / "attacks").mkdir(parents=True)
    (root / "purification.py").write_text(
        "from utils import clf2diff, diff2clf, normalize\n"
        "class PurificationForward:\n"
        "    def __init__(self, clf, diffusion, depths, levels, *rest): self.clf, self.seen = clf, (depths, levels)\n"
        "    def __call__(self, x): return self.clf(diff2clf(clf2diff(x)))\n"
    )
    (root / "attacks" / "pgd_eot.py").write_text(
        "class PGD:\n"
        "    def __init__(self, get_logit, *rest, eot): self.get_logit = get_logit\n"
        "    def __call__(self, x, y): return self.get_logit(x), self.get_logit.seen\n"
    )
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    logits, seen = cifar_peers.theirs(tiny.network, Walk(1, 3, 1, 1))()
    assert seen == ([99], [[0, 50, 99]])
    assert torch.allclose(logits, torch.tensor(0.5)), "grey stays grey through both helpers"


def test_our_walk_is_theirs_in_size(tiny):
    moved = (cifar_peers.ours(tiny.network, Walk(1, 1, 1, 1))() - 0.5).abs()
    assert moved.max().item() == pytest.approx(cifar_peers.STEP, rel=1e-4), "to a rounding of images near one half"


def test_grey_images_are_asked_about_only_where_they_do_not_matter():
    assert grey(2).labels is None
    assert grey(2).images.shape == (2, 3, 32, 32)


def test_what_is_compiled_is_the_network_in_its_way():
    assert isinstance(WAYS["bfloat16"].predictor(None), Quick)
    named = {name.partition(".")[2] for name in cifar.NAMED}
    assert all(isinstance(WAYS[way].predictor(None), Quick) for way in named)
    assert cifar_shares.PRODUCTS["pull"].ask is cifar_throughput.forward_and_pull


def test_a_network_that_is_not_here_is_random_and_said_to_be(monkeypatch):
    monkeypatch.setattr("benchmarks.cifar_cases.TRAINED", "no-such-network")
    with case("ours", TINY) as measured:
        assert "random weights" in measured.words


def test_a_network_that_is_here_is_taken_and_named(monkeypatch):
    monkeypatch.setattr("benchmarks.cifar_cases.TRAINED", "procedural-ddpm")
    with case("ours", TINY) as measured:
        assert measured.network.checkpoint == "procedural-ddpm"
        assert "trained weights, 'procedural-ddpm'" in measured.words


def test_an_unknown_figure_of_cifar_is_named_before_anything_is_measured():
    with pytest.raises(KeyError, match="no figure 'speed'"):
        cifar.main(["speed"])
