import pytest
import torch

from purigeom.geometry.matrices import Dense
from purigeom.geometry.spectrum.directions import participation_ratio
from purigeom.geometry.spectrum.hutchinson import BLOCK, root_mean_square
from purigeom.noise import Noise
from tests.geometry.spectrum.manufactured import DECAYS, LARGE, Counted, manufactured, power, reflected

SIZE = 64
MANY = 1500
SEEDS = Noise(0, tuple(range(MANY)))
SPECTRA = {name: decay(SIZE) for name, decay in DECAYS.items()} | {
    "one": torch.eye(1, SIZE, dtype=torch.float64)[0],
    "identity": torch.ones(SIZE, dtype=torch.float64),
}


def repeated(spectrum):
    """The same matrix for many images, each with draws of its own: normal vectors do not mind the rotations."""
    return reflected(spectrum, images=MANY, reflections=0)


@pytest.mark.parametrize("spectrum", SPECTRA.values(), ids=SPECTRA)
@pytest.mark.parametrize("tolerance", [0.1, 0.2, 0.4])
def test_intervals_hold_the_truth_as_often_as_they_say_although_they_chose_when_to_stop(spectrum, tolerance) -> None:
    found = root_mean_square(repeated(spectrum), SEEDS, tolerance)
    assert found.met.all()
    truth = spectrum.square().mean().sqrt()
    held = ((found.value - truth).abs() <= found.error).double().mean()
    assert 0.92 < held < 0.995


@pytest.mark.parametrize("confidence", [0.5, 0.68, 0.9, 0.99])
def test_confidence_is_the_caller_s(confidence) -> None:
    found = root_mean_square(repeated(power(SIZE)), SEEDS, 0.05, confidence)
    truth = power(SIZE).square().mean().sqrt()
    assert ((found.value - truth).abs() <= found.error).double().mean().item() == pytest.approx(confidence, abs=0.035)


@pytest.mark.parametrize("spectrum", SPECTRA.values(), ids=SPECTRA)
def test_squares_are_unbiased_and_spread_as_the_participation_ratio_says(spectrum) -> None:
    count = 32
    found = root_mean_square(repeated(spectrum), SEEDS, 1e-9, most_products=count)
    assert not found.met.any()
    squares = found.value.square() / spectrum.square().mean()
    expected = (2 / (count * participation_ratio(spectrum))).sqrt()
    torch.testing.assert_close(squares.std(), expected, rtol=0.1, atol=0)
    assert abs(squares.mean() - 1) < 4 * expected / MANY**0.5


def test_products_needed_are_those_foretold() -> None:
    for spectrum, tolerance in ((power(SIZE), 0.05), (power(LARGE), 0.01)):
        matrices = reflected(spectrum, images=4)
        found = root_mean_square(matrices, SEEDS[:4], tolerance)
        foretold = 2 / (participation_ratio(spectrum) * tolerance**2)
        assert 0.6 < found.products.double().mean() / foretold < 1.6
        torch.testing.assert_close(
            found.value, spectrum.square().mean().sqrt().expand(4), rtol=3 * tolerance, atol=0, msg="far off"
        )


def test_an_image_s_answer_does_not_depend_on_the_batch() -> None:
    spectra = torch.stack([SPECTRA["identity"], SPECTRA["one"], SPECTRA["power"]])
    matrices, noise = manufactured(spectra, images=3), SEEDS[:3]
    together = root_mean_square(matrices, noise, 0.1)
    assert len(set(together.products.tolist())) == 3
    for place in range(3):
        part = slice(place, place + 1)
        alone = root_mean_square(Dense(matrices.values[part]), noise[part], 0.1)
        assert torch.equal(together.products[part], alone.products)
        torch.testing.assert_close(together.value[part], alone.value, rtol=1e-12, atol=0)
        torch.testing.assert_close(together.error[part], alone.error, rtol=1e-9, atol=0)


def test_answers_are_within_the_tolerance_or_say_that_they_are_not() -> None:
    matrices = manufactured(torch.stack([SPECTRA["identity"], SPECTRA["one"]]), images=2)
    found = root_mean_square(matrices, SEEDS[:2], 0.1, most_products=20)
    assert found.met.tolist() == [True, False]
    assert found.products.tolist()[1] == 20
    assert ((found.error <= 0.1 * found.value) == found.met).all()


def test_pushes_end_when_every_image_has_its_answer() -> None:
    matrices = Counted(manufactured(power(SIZE), images=2))
    found = root_mean_square(matrices, SEEDS[:2], 0.1)
    assert matrices.products == found.products.max()
    assert set(matrices.pushed) == {BLOCK}
    assert not matrices.pulled


def test_a_zero_matrix_compresses_to_nothing_for_sure() -> None:
    found = root_mean_square(Dense(torch.zeros(2, 5, 7)), SEEDS[:2], 0.01)
    assert found.value.tolist() == found.error.tolist() == [0, 0]
    assert found.met.all()
    assert found.products.tolist() == [BLOCK, BLOCK]


def test_what_is_not_a_number_never_meets_a_tolerance() -> None:
    assert not root_mean_square(Dense(torch.full((1, 4, 4), torch.nan)), SEEDS[:1], 0.5, most_products=16).met


def test_wide_and_tall_matrices_are_averaged_over_columns() -> None:
    for rows, columns in ((SIZE, 2 * SIZE), (2 * SIZE, SIZE)):
        matrices = manufactured(power(SIZE), rows=rows, columns=columns)
        found = root_mean_square(matrices, SEEDS[:1], 0.02)
        torch.testing.assert_close(found.value, (power(SIZE).square().sum() / columns).sqrt()[None], rtol=0.05, atol=0)


def test_value_and_error_scale_with_the_matrix() -> None:
    matrices = manufactured(power(SIZE), images=2)
    once, often = (root_mean_square(Dense(factor * matrices.values), SEEDS[:2], 0.1) for factor in (1, -1e-6))
    torch.testing.assert_close(often.value, 1e-6 * once.value)
    torch.testing.assert_close(often.error, 1e-6 * once.error)
    assert torch.equal(often.products, once.products)


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [((0.0,), "tolerance above 0; got 0.0"), ((0.1, 95), "got 95"), ((0.1, 0.9, 4), "got most_products=4")],
)
def test_impossible_settings_are_named(setting, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        root_mean_square(manufactured(power(SIZE)), SEEDS[:1], *setting)
