import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch.func import jvp, vmap

from purigeom.noise import Noise, joined
from purigeom.philox import philox

# Random123's known answers for philox4x32-10: counter, key, result.
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN_ANSWERS)
def test_philox_gives_the_known_answers(counter, key, result) -> None:
    words = philox(tuple(torch.tensor([word]) for word in counter), key)
    assert tuple(int(word) for word in words) == result


@given(order=st.permutations(range(5)), cut=st.integers(1, 4), seed=st.integers(-(2**63), 2**63))
def test_an_image_s_noise_depends_on_neither_batch_nor_order(order, cut, seed) -> None:
    noise = Noise(seed, tuple(range(5)), ("forward", 3))
    like = torch.zeros(5, 2, 3)
    shuffled = Noise(seed, tuple(order), ("forward", 3))
    together = noise.normal_like(like)
    parts = torch.cat([shuffled[:cut].normal_like(like[:cut]), shuffled[cut:].normal_like(like[cut:])])
    assert torch.equal(parts, together[list(order)])


def test_a_repeated_image_gets_its_own_noise_every_time() -> None:
    noise, like = Noise(0, (4, 9)), torch.zeros(2, 3)
    assert torch.equal(noise.repeat(3).normal_like(like.repeat(3, 1)), noise.normal_like(like).repeat(3, 1))


@given(places=st.lists(st.integers(0, 4), min_size=1, max_size=8))
def test_some_images_in_any_order_keep_their_noise(places) -> None:
    noise, like = Noise(3, tuple(range(5)), ("forward",)), torch.zeros(5, 7)
    assert torch.equal(noise[places].normal_like(like[places]), noise.normal_like(like)[places])


@given(
    paths=st.lists(st.lists(st.sampled_from(["a", "b", 1, 2]), max_size=3), min_size=1, max_size=4),
    places=st.lists(st.integers(0, 2), min_size=1, max_size=4),
)
def test_joined_streams_draw_what_each_draws_alone(paths, places) -> None:
    streams = [Noise(5, (7, 8, 9)).child(*path)[places] for path in paths]
    like = torch.zeros(len(places), 6)
    apart = torch.cat([stream.child("late", 2).normal_like(like) for stream in streams])
    together = joined(streams)
    assert torch.equal(together.child("late", 2).normal_like(like.repeat(len(paths), 1)), apart)
    again = joined([together[: len(places)], together[len(places) :]] if len(paths) > 1 else [together])
    assert torch.equal(again.child("late", 2).normal_like(like.repeat(len(paths), 1)), apart)
    assert torch.equal(
        together.repeat(2).child("late", 2).normal_like(like.repeat(2 * len(paths), 1)), torch.cat([apart, apart])
    )


def test_streams_of_two_seeds_cannot_be_joined() -> None:
    with pytest.raises(ValueError, match=r"Streams can be joined where they share a seed; got \[0, 1\]"):
        joined([Noise(0, (1,)), Noise(1, (1,))])


def test_order_of_drawing_does_not_matter() -> None:
    noise, like = Noise(0, (1,)), torch.zeros(1, 50)
    late = noise.child("late").normal_like(like)
    noise.child("early").normal_like(like)
    assert torch.equal(late, noise.child("late").normal_like(like))


def test_every_ingredient_changes_the_numbers() -> None:
    like = torch.zeros(1, 64)
    streams = [
        Noise(0, (1,)),
        Noise(1, (1,)),
        Noise(0, (2,)),
        Noise(0, (1 + 2**32,)),
        Noise(0, (1,), ("a",)),
        Noise(0, (1,), (1,)),
        Noise(0, (1,), ("1",)),
        Noise(0, (1,), ("a", 1)),
        Noise(0, (1,), ("a", 2)),
    ]
    drawn = {tuple(noise.words_like(like)[0].tolist()) for noise in streams}
    assert len(drawn) == len(streams)


def test_numpy_integers_name_the_same_stream() -> None:
    plain, numpy = Noise(3, (1,), (2,)), Noise(np.int64(3), (np.int64(1),), (np.int64(2),))
    assert torch.equal(plain.normal_like(torch.zeros(1, 8)), numpy.normal_like(torch.zeros(1, 8)))


def test_types_of_the_images_do_not_change_the_numbers() -> None:
    noise, like = Noise(0, (1, 2)), torch.zeros(2, 100)
    single, double = noise.normal_like(like), noise.normal_like(like.double())
    assert torch.equal(single.double(), double)


def test_a_batch_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"made for 2 images; got a batch of 3"):
        Noise(0, (1, 2)).normal_like(torch.zeros(3, 1))


def test_drawing_inside_transforms_is_no_hidden_randomness() -> None:
    noise, images = Noise(0, (1, 2)), torch.rand(2, 4)

    def smoothed(x):
        return x * 2 + noise.normal_like(x)

    probes = torch.rand(3, 2, 4)
    expected = torch.stack([smoothed(probe) for probe in probes])
    assert torch.equal(vmap(smoothed, randomness="error")(probes), expected)
    value, tangent = jvp(smoothed, (images,), (probes[0],))
    assert torch.equal(value, smoothed(images))
    assert torch.equal(tangent, 2 * probes[0])


def test_normals_are_standard_normal() -> None:
    numbers = Noise(0, tuple(range(20))).normal_like(torch.zeros(20, 50_000)).flatten().numpy()
    count = numbers.size
    assert abs(numbers.mean()) < 4 / count**0.5
    assert abs(numbers.var() - 1) < 4 * (2 / count) ** 0.5
    assert abs(stats.skew(numbers)) < 4 * (6 / count) ** 0.5
    assert abs(stats.kurtosis(numbers)) < 4 * (24 / count) ** 0.5
    assert stats.kstest(numbers[:200_000], "norm").pvalue > 1e-3


def test_uniforms_are_uniform_and_signs_are_fair() -> None:
    noise, like = Noise(0, (1,)), torch.zeros(1, 400_000)
    uniform, sign = noise.uniform_like(like)[0].numpy(), noise.sign_like(like)
    assert stats.kstest(uniform, "uniform", args=(-1, 2)).pvalue > 1e-3
    assert set(sign.unique().tolist()) == {-1.0, 1.0}
    assert abs(sign.mean()) < 4 / 400_000**0.5


def test_streams_do_not_correlate() -> None:
    like = torch.zeros(40, 10_000)
    images = Noise(0, tuple(range(40))).normal_like(like)
    steps = torch.cat([Noise(0, (1,), ("step", step)).normal_like(like[:1]) for step in range(40)])
    seeds = torch.cat([Noise(seed, (1,)).normal_like(like[:1]) for seed in range(40)])
    for streams in (images, steps, seeds, torch.cat([images[:20], steps[20:]])):
        correlations = torch.corrcoef(streams)[*torch.triu_indices(40, 40, 1)] * 10_000**0.5
        assert abs(correlations.std() - 1) < 0.15
        assert correlations.abs().max() < 5


def test_neighbouring_pixels_do_not_correlate() -> None:
    numbers = Noise(0, (1,)).normal_like(torch.zeros(1, 500_000))[0]
    for lag in (1, 2, 4, 32):
        for series in (numbers, numbers.square() - 1):
            score = (series[:-lag] * series[lag:]).mean() / series.var() * len(series) ** 0.5
            assert abs(score) < 4


def test_another_process_draws_the_same_numbers() -> None:
    expression = "Noise(5, (7,), ('a', 1)).words_like(torch.zeros(1, 6)).tolist()"
    code = f"import torch; from purigeom import Noise; print({expression})"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == str(Noise(5, (7,), ("a", 1)).words_like(torch.zeros(1, 6)).tolist())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU to compare with the CPU")
def test_devices_agree() -> None:
    noise, like = Noise(0, (1, 2), ("a",)), torch.zeros(2, 100_000)
    assert torch.equal(noise.words_like(like), noise.words_like(like.cuda()).cpu())
    gap = (noise.normal_like(like) - noise.normal_like(like.cuda()).cpu()).abs()
    assert (gap <= torch.finfo(torch.float32).eps * noise.normal_like(like).abs()).all()
