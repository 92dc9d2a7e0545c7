import pytest
import torch

from purigeom.geometry.jacobian import Jacobian
from purigeom.geometry.memory import default_budget, in_parts, out_of_memory, peak_bytes

MEBIBYTE = 2**20


def test_parts_cover_everything_once_and_in_order() -> None:
    parts = in_parts(lambda part: list(range(part.start, part.stop)), 10, 4)
    assert parts == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("full"), MemoryError(), RuntimeError("can't allocate memory")]
)
def test_where_memory_runs_out_parts_are_halved_and_the_work_goes_on(error) -> None:
    tried = []

    def compute(part):
        tried.append(part.stop - part.start)
        if part.stop - part.start > 3:
            raise error
        return part.stop - part.start

    assert sum(in_parts(compute, 20, 16)) == 20
    assert tried[:4] == [16, 8, 4, 2]
    assert max(tried[3:]) == 2


def test_one_thing_that_does_not_fit_is_an_error() -> None:
    def compute(part):
        raise torch.OutOfMemoryError

    with pytest.raises(torch.OutOfMemoryError):
        in_parts(compute, 4, 4)


def test_other_errors_are_not_taken_for_memory() -> None:
    assert not out_of_memory(RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match=r"size mismatch|inconsistent tensor size"):
        in_parts(lambda part: torch.ones(2) @ torch.ones(3), 4, 4)


def test_a_jacobian_goes_on_where_memory_runs_out() -> None:
    """A map that refuses stacks of more than three rows stands in for a device that is full."""
    images = torch.rand(2, 1, 2, 2, dtype=torch.float64)

    def greedy(state):
        if hasattr(state, "stack") and len(state.stack) > 4:
            raise torch.OutOfMemoryError
        return state.square()

    vectors = torch.rand(2, 4, 11, dtype=torch.float64)
    pushed = Jacobian(greedy, images).push(vectors)
    torch.testing.assert_close(pushed, 2 * images.flatten(1).unsqueeze(-1) * vectors)


def test_the_peak_counts_what_lives_at_the_same_time_only() -> None:
    def halves():
        first = torch.ones(MEBIBYTE // 4)
        second = first * 2
        del first
        return (second * 3).sum()

    answer, peak = peak_bytes(halves)
    assert answer == 6 * MEBIBYTE // 4
    assert 2 * MEBIBYTE <= peak < 2.1 * MEBIBYTE


def test_views_and_inputs_need_no_memory() -> None:
    given = torch.ones(MEBIBYTE)
    assert peak_bytes(lambda: given.reshape(2, -1)[0].unsqueeze(0))[1] == 0


def test_a_cpu_has_a_fixed_budget() -> None:
    assert default_budget(torch.device("cpu")) > MEBIBYTE
