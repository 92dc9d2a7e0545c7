"""Sign changes of margins whose roots are known."""

import torch

from purigeom.geometry.crossings import crossings

DISTANCES = torch.linspace(0, 4, 401, dtype=torch.float64)


def test_the_roots_of_a_parabola_are_found() -> None:
    first, second = crossings(DISTANCES, torch.stack([(DISTANCES - 1.003) * (DISTANCES - 3.007), 1 - DISTANCES], 1))
    torch.testing.assert_close(first, torch.tensor([1.003, 1.0], dtype=torch.float64), atol=1e-4, rtol=0)
    torch.testing.assert_close(second[0], torch.tensor(3.007, dtype=torch.float64), atol=1e-4, rtol=0)
    assert second[1].isnan()


def test_only_the_first_turn_and_the_next_one_count() -> None:
    first, second = crossings(DISTANCES, (torch.pi * (DISTANCES + 0.5)).sin().unsqueeze(1))
    torch.testing.assert_close(torch.cat([first, second]), torch.tensor([0.5, 1.5]).double(), atol=1e-4, rtol=0)


def test_what_is_negative_at_first_turns_there_and_what_never_is_nowhere() -> None:
    distances, margins = DISTANCES[100:], torch.stack([DISTANCES - 2, DISTANCES + 1, -DISTANCES - 1], 1)[100:]
    first, second = crossings(distances, margins)
    torch.testing.assert_close(first, torch.tensor([1, torch.nan, 1]).double(), equal_nan=True)
    torch.testing.assert_close(second, torch.tensor([2, torch.nan, torch.nan]).double(), equal_nan=True)
