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
    assert ((found.share.value - share_below(spectrum)).abs() <= 1.5 * found.share.error).all()
    norm = spectrum.square().mean().sqrt()
    assert ((found.root_mean_square.value / norm - 1).abs() <= 2 * found.root_mean_square.error).all()
    assert (found.most_share >= share_below(spectrum)).all()
    assert (found.least_share <= share_below(spectrum)).all()
    ratio = participation_ratio(spectrum)
    assert ((found.participation_ratio / ratio - 1).abs() <= 1.5 * found.participation_error).all()


def together(*parts):
    return torch.cat([torch.full((count,), float(value)) if count else value for value, count in parts]).double()


CLUSTERS = {
    "ten above a plain": together((0.9, 10), (0.1, 374)),
    "two plains": together((0.5, 192), (0.1, 192)),
    "plains beside the threshold": together((0.26, 192), (0.24, 192)),
    "a ramp": torch.linspace(1, 0, 384).double(),
    "a ramp about the threshold": torch.linspace(0.27, 0.23, 384).double(),
    "one far above a plain": together((100, 1), (0.2, 383)),
    "three hardly above it": together((0.2501, 3), (0.249, 381)),
    "copies among the leading": together((torch.linspace(2, 1, 9), 0), (1, 12), (0.05, 363)),
    "rank twenty": together((torch.linspace(1, 0.3, 20), 0), (0, 364)),
    "all of them one": together((1, 384)),
    "all of them the threshold": together((0.25, 384)),
}


@pytest.mark.parametrize("name", CLUSTERS)
def test_values_that_come_in_numbers_are_not_taken_for_single_ones(name) -> None:
    """A Krylov space shows four copies of a value at most: its weights must tell of the others, or the error does."""
    spectrum = CLUSTERS[name]
    found = partial_spectrum(reflected(spectrum, images=20), Noise(3, tuple(range(20))), Tolerance(most_products=300))
    off = (found.share.value - share_below(spectrum)).abs()
    assert (off <= found.share.error).double().mean() >= 0.85
    assert (off <= 2 * found.share.error).all()
    assert not (found.share.met & (off > 0.01)).any()
    assert (found.least_share <= share_below(spectrum)).all()
    assert (found.most_share >= share_below(spectrum)).all()
    norm = spectrum.square().mean().sqrt()
    assert ((found.root_mean_square.value / norm - 1).abs() <= 2 * found.root_mean_square.error).all()
    ratio = participation_ratio(spectrum)
    assert ((found.participation_ratio / ratio - 1).abs() <= found.participation_error).double().mean() >= 0.85


@pytest.mark.parametrize("name", DECAYS)
def test_the_share_s_error_is_two_standard_errors(name) -> None:
    """Nearly all shares lie within one error, and most within half of one: over 60 starts, at a fixed cost."""
    spectrum = DECAYS[name](256)
    tolerance = Tolerance(share=1e-9, most_products=84)
    found = partial_spectrum(reflected(spectrum, images=60), Noise(1, tuple(range(60))), tolerance)
    score = (found.share.value - share_below(spectrum)).abs() / found.share.error
    assert (score < 0.5).double().mean() > 0.55
    assert (score < 1).double().mean() > 0.9
    assert score.square().mean().sqrt() > 0.075  # and no wider than it must be


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
    assert found.share.value.item() == pytest.approx(share)
    assert found.leading.error.isfinite().all()
    assert found.root_mean_square.error.isfinite().all()


@pytest.mark.parametrize("shape", [(6, 6), (3, 3), (1, 1), (5, 40), (40, 5)])
def test_small_matrices_are_answered_whole(shape) -> None:
    spectrum = DECAYS["power"](min(shape))
    matrices = Counted(manufactured(spectrum, rows=shape[0], columns=shape[1]))
    found = partial_spectrum(matrices, Noise(0, (1,)), Tolerance(count=10))
    torch.testing.assert_close(found.leading.value[0], spectrum[:10])
    assert found.leading.met.all()
    assert found.products == matrices.products == shape[1]


def test_rounding_is_that_of_the_largest_value() -> None:
    """Of values far below the largest, float32 knows nothing, whatever their residuals say."""
    spectrum = 10.0 ** -torch.arange(300).clamp(max=30).double()
    for products in (400, 1000):
        found = partial_spectrum(reflected(spectrum.float()), Noise(0, (1,)), Tolerance(most_products=products))
        off = (found.leading.value[0] / spectrum[:10] - 1).abs()
        assert (off <= found.leading.error[0]).all()
        assert not found.leading.met


def test_huge_numbers_do_not_overflow() -> None:
    spectrum = 1e30 * DECAYS["power"](256).float()
    found = partial_spectrum(reflected(spectrum), Noise(0, (1,)), Tolerance(threshold=0.25e30))
    torch.testing.assert_close(found.leading.value[0], spectrum[:10], rtol=1e-3, atol=0)
    assert found.leading.met.all()


def test_an_empty_batch_is_named() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        partial_spectrum(Dense(torch.zeros(0, 5, 5)), Noise(0, ()), Tolerance())


def test_too_small_a_budget_is_named() -> None:
    with pytest.raises(ValueError, match="must allow a step"):
        partial_spectrum(manufactured(DECAYS["power"](20)), Noise(0, (1,)), Tolerance(most_products=5))


@pytest.mark.parametrize("fields", [{"leading": 0}, {"share": -1}, {"threshold": (0.25, 0.1)}, {"count": 2.5}])
def test_a_tolerance_that_is_none_is_refused(fields) -> None:
    with pytest.raises(ValueError, match=r"above zero|whole numbers"):
        Tolerance(**fields)
