import pytest
import torch

from purigeom.geometry.matrices import Dense
from purigeom.geometry.spectrum.adaptive import Tolerance, partial_spectrum
from purigeom.geometry.spectrum.directions import participation_ratio
from purigeom.geometry.spectrum.exact import singular_values
from purigeom.noise import Noise
from tests.geometry.spectrum.manufactured import DECAYS, LARGE, Counted, manufactured, reflected

IDS = tuple(range(8))
NOISE = Noise(0, IDS)


def share_below(spectrum, threshold=0.25):
    return (spectrum < threshold).double().mean().item()


@pytest.mark.parametrize("name", DECAYS)
@pytest.mark.parametrize("size", [192, 768, LARGE])
def test_every_number_is_within_a_few_of_its_errors(name, size) -> None:
    spectrum = DECAYS[name](size)
    found = partial_spectrum(reflected(spectrum, images=8), NOISE, Tolerance())
    assert found.leading.met.all()
    assert ((found.leading.value / spectrum[:10] - 1).abs() <= found.leading.error + 1e-12).all()
    assert ((found.share.value - share_below(spectrum)).abs() <= 3 * found.share.error).all()
    norm = spectrum.square().mean().sqrt()
    assert ((found.root_mean_square.value / norm - 1).abs() <= 2 * found.root_mean_square.error).all()
    assert (found.most_share >= share_below(spectrum)).all()
    assert (found.least_share <= share_below(spectrum)).all()
    ratio = participation_ratio(spectrum)
    assert ((found.participation_ratio / ratio - 1).abs() < 0.25).all()


@pytest.mark.parametrize("name", DECAYS)
def test_the_share_s_error_is_a_standard_error(name) -> None:
    """About two thirds of shares lie within one error, and nearly all within two: over 60 starts, at a fixed cost."""
    spectrum = DECAYS[name](256)
    tolerance = Tolerance(share=1e-9, most_products=84)
    found = partial_spectrum(reflected(spectrum, images=60), Noise(1, tuple(range(60))), tolerance)
    score = (found.share.value - share_below(spectrum)).abs() / found.share.error
    assert (score < 1).double().mean() > 0.55
    assert (score < 2).double().mean() > 0.9
    assert score.square().mean().sqrt() > 0.15  # and no wider than it must be


@pytest.mark.parametrize("name", DECAYS)
def test_the_norm_s_interval_holds_the_truth(name) -> None:
    spectrum = DECAYS[name](256)
    tolerance = Tolerance(root_mean_square=0.02, most_products=200)
    found = partial_spectrum(reflected(spectrum, images=80), Noise(2, tuple(range(80))), tolerance)
    gap = (found.root_mean_square.value / spectrum.square().mean().sqrt() - 1).abs()
    assert (gap <= found.root_mean_square.error).double().mean() >= 0.87


def test_a_tolerance_that_cannot_be_met_is_said_not_to_be() -> None:
    spectrum = DECAYS["flat_top"](LARGE)
    found = partial_spectrum(reflected(spectrum, images=8), NOISE, Tolerance(most_products=60))
    assert not found.leading.met.any()
    assert not found.root_mean_square.met.any()
    assert (found.products <= 60).all()
    within = (found.leading.value / spectrum[:10] - 1).abs() <= found.leading.error
    assert within.double().mean() > 0.9


def test_tighter_tolerances_cost_more_products_and_err_less() -> None:
    matrices = reflected(DECAYS["power"](768), images=8)
    loose, tight = (
        partial_spectrum(matrices, NOISE, Tolerance(leading=leading, share=share))
        for leading, share in ((0.05, 0.03), (1e-6, 0.005))
    )
    assert (loose.products < tight.products).all()
    assert loose.leading.error.max() > tight.leading.error.max()


def test_products_are_counted() -> None:
    counted = Counted(reflected(DECAYS["power"](192)))
    assert partial_spectrum(counted, Noise(0, (5,)), Tolerance()).products == counted.products


def test_an_image_s_numbers_do_not_depend_on_the_images_beside_it() -> None:
    spectra = torch.stack([DECAYS["power"](96), DECAYS["flat_top"](96), 0.1 * DECAYS["exponential"](96)])
    matrices = manufactured(spectra, images=3)
    together = partial_spectrum(matrices, Noise(0, (1, 2, 3)), Tolerance(count=4))
    for place, image_id in enumerate((1, 2, 3)):
        alone = partial_spectrum(Dense(matrices.values[[place]]), Noise(0, (image_id,)), Tolerance(count=4))
        one = slice(place, place + 1)
        torch.testing.assert_close(alone.leading.value, together.leading.value[one])
        torch.testing.assert_close(alone.share.value, together.share.value[one])
        torch.testing.assert_close(alone.root_mean_square.value, together.root_mean_square.value[one])
        assert alone.products == together.products[one]


@pytest.mark.parametrize(
    ("matrix", "share"),
    [(torch.zeros(30, 30), 1.0), (torch.eye(30), 0.0), (torch.diag(torch.tensor([1.0] * 5 + [0.0] * 25)), 25 / 30)],
    ids=["zero", "identity", "rank five"],
)
def test_degenerate_matrices_are_answered_exactly(matrix, share) -> None:
    found = partial_spectrum(Dense(matrix.double()[None]), Noise(0, (1,)), Tolerance(count=4))
    torch.testing.assert_close(found.leading.value, singular_values(Dense(matrix.double()[None]))[:, :4])
    assert abs(found.share.value.item() - share) < 0.02
    assert found.leading.error.isfinite().all()
    assert found.root_mean_square.error.isfinite().all()


def test_small_matrices_are_answered_from_what_they_have() -> None:
    found = partial_spectrum(manufactured(DECAYS["power"](6)), Noise(0, (1,)), Tolerance(count=10))
    assert found.leading.value.shape[1] <= 6


def test_too_small_a_budget_is_named() -> None:
    with pytest.raises(ValueError, match="must allow a step"):
        partial_spectrum(manufactured(DECAYS["power"](20)), Noise(0, (1,)), Tolerance(most_products=5))


def test_a_tolerance_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above zero"):
        Tolerance(leading=0)
