"""What figures of geometry draw of facts that are made up, and what they say where facts are missing."""

import numpy as np
import pytest
import xarray as xr

from purigeom.plot import curvature, directions, gradient_length, share, singular_vectors, spectrum
from purigeom.plot.style import save
from tests.plot.made import SIZES, error_bars, made, solid

SHARES = ("share_below", "share_least", "share_most")
DIRECTIONS = ("on_manifold_compression", "off_manifold_compression", "left_right_alignment")
CURVATURE = ("compression_ratio", "linear_ratio", "curvature")
VECTORS = ("pair_singular_value", "left_singular_vector", "right_singular_vector")
DRAWN = {
    spectrum: ("singular_value",),
    share: ("share_below",),
    singular_vectors: VECTORS,
    directions: DIRECTIONS,
    curvature: CURVATURE,
    gradient_length: ("gradient_stretch",),
}


@pytest.mark.parametrize("plot", DRAWN, ids=lambda plot: plot.__name__.rpartition(".")[2])
def test_a_figure_without_its_facts_names_what_is_missing(plot):
    *there, missing = DRAWN[plot]
    with pytest.raises(ValueError, match=rf"^A figure of .* needs \['{missing}'\], which these results lack\. Ask"):
        plot.draw(made(*there, "psnr"))


BY_DEPTH = [spectrum, share, directions, curvature, gradient_length]


@pytest.mark.parametrize("plot", BY_DEPTH, ids=lambda plot: plot.__name__)
def test_a_figure_by_depth_without_diffusion_purifiers_says_so(plot):
    with pytest.raises(ValueError, match="needs diffusion purifiers; these results hold none"):
        plot.draw(made(*DRAWN[plot]).isel(purifier=[0]))


@pytest.mark.parametrize("plot", DRAWN, ids=lambda plot: plot.__name__.rpartition(".")[2])
def test_figures_are_saved_whole_beside_facts_of_other_measurements(plot, tmp_path):
    """Other facts have more draws, images, radii and purifiers, so that NaN stand between the figure's own."""
    own = made(*DRAWN[plot]).isel(purifier=slice(0, 5), image=slice(0, 3), draw=[0])
    other = xr.Dataset({"psnr": (("purifier", "draw", "image"), np.ones((6, 2, 5)))}, made("psnr").coords)
    both = xr.merge([own, other.assign_coords(radius=[0.4])], join="outer", compat="no_conflicts")
    chosen = both.isel(purifier=[2]) if plot is singular_vectors else both
    paths = save(plot.draw(chosen), tmp_path / "figure")
    assert all(path.stat().st_size > 1000 for path in paths)


def test_spectra_are_medians_in_bands_by_depth():
    results = made("singular_value")
    panels = spectrum.draw(results).axes
    assert [axes.get_title() for axes in panels] == ["DDPM", "DDIM"]
    assert [[line.get_label() for line in solid(axes)] for axes in panels] == [["10", "90"], ["10", "90", "170"]]
    assert [len(axes.collections) for axes in panels] == [2, 3]
    values = results["singular_value"].sel(purifier="DDPM 90")
    np.testing.assert_allclose(solid(panels[0])[1].get_ydata(), values.median(("draw", "image")))
    band = panels[0].collections[1].get_paths()[0].vertices[:, 1]
    low, high = values.quantile([0.25, 0.75], ("draw", "image"))
    assert {round(height, 6) for height in band} == {round(height, 6) for height in [*low.values, *high.values]}


def test_lengths_of_gradients_are_medians_between_quartiles_on_scales_of_ten():
    results = made("gradient_stretch")
    (axes,) = gradient_length.draw(results).axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    depths, heights, _ = error_bars(axes)["DDIM"]
    assert list(depths) == [10, 90, 170]
    chosen = results["gradient_stretch"].sel(purifier=["DDIM 10", "DDIM 90", "DDIM 170"])
    np.testing.assert_allclose(heights, chosen.median(("draw", "image")))


def test_exact_shares_are_counted_and_bounds_stand_beside_them():
    results = made("singular_value", *SHARES)
    (axes,) = share.draw(results).axes
    assert axes.get_ylabel() == "share of singular values below 0.25"
    place, height, barred = error_bars(axes)["DDPM"]
    counted = (results["singular_value"].sel(purifier="DDPM 10") < 0.25).mean()
    assert (place.tolist(), barred) == ([10, 90], True)
    assert height[0] == pytest.approx(counted.item())
    assert len([one for one in axes.collections if one.get_alpha()]) == 2


def test_shares_of_products_are_drawn_where_the_spectrum_is_not_known():
    results = made("share_below").assign_coords(threshold=[0.5])
    (axes,) = share.draw(results).axes
    assert axes.get_ylabel() == "share of singular values below 0.5"
    expected = results["share_below"].sel(purifier=["DDPM 10", "DDPM 90"]).mean(("draw", "image", "threshold"))
    np.testing.assert_allclose(error_bars(axes)["DDPM"][1], expected.values)


@pytest.mark.parametrize("channels", [1, 3])
def test_singular_vectors_share_symmetric_limits_and_bear_their_values(channels):
    results = made(*VECTORS, channels=channels).isel(purifier=[1])
    panels = singular_vectors.draw(results).axes
    images, pairs = singular_vectors.IMAGES, SIZES["pair"]
    assert len(panels) == 2 * images * pairs
    values = results["pair_singular_value"].isel(purifier=0, draw=0, image=slice(images)).values.flatten()
    assert [axes.get_title() for axes in panels[: images * pairs]] == [f"{value:.2f}" for value in values]
    assert [axes.get_ylabel() for axes in panels if axes.get_ylabel()] == ["in (right)", "out (left)"]
    first = results["right_singular_vector"].isel(purifier=0, draw=0, image=0, pair=0).transpose(..., "channel")
    shown = [axes.images[0] for axes in panels]
    kept = results.isel(draw=0, image=slice(images))
    limit = max(kept["left_singular_vector"].max().item(), kept["right_singular_vector"].max().item())
    if channels == 1:
        assert {one.get_clim() for one in shown} == {(-limit, limit)}
        np.testing.assert_array_equal(shown[0].get_array(), first[..., 0])
    else:
        np.testing.assert_allclose(shown[0].get_array(), 0.5 + first / (2 * limit))


def test_singular_vectors_of_several_purifiers_ask_for_one():
    with pytest.raises(ValueError, match=r"of one purifier; these results hold \['identity', .*Choose one with"):
        singular_vectors.draw(made(*VECTORS))


def test_directions_stand_beside_chance_and_the_strongest():
    results = made(*DIRECTIONS, "singular_value", "compression_ratio", "eigenvalue_magnitude")
    *panels, aligned, normal = directions.draw(results).axes
    assert [axes.get_title() for axes in panels] == ["DDPM", "DDIM"]
    names = ["leading singular value", "along the data", "across the data", "random, smallest radius"]
    assert list(error_bars(panels[0])) == names
    random = results["compression_ratio"].sel(purifier="DDIM 170", radius=0.05).mean()
    assert error_bars(panels[1])["random, smallest radius"][1][2] == pytest.approx(random.item())
    assert list(error_bars(aligned)) == ["DDPM", "DDIM"]
    assert len(normal.lines) == 5 + 1


def test_directions_compare_the_same_images():
    results = made(*DIRECTIONS, "singular_value")
    known = results["image"] < 2
    few = results.assign({name: results[name].where(known) for name in DIRECTIONS})
    panel, *others = directions.draw(few).axes
    assert len(others) == 2
    expected = few["singular_value"].sel(purifier="DDPM 10", mode=0, image=[0, 1]).mean()
    assert error_bars(panel)["leading singular value"][1][0] == pytest.approx(expected.item())


def test_curvature_stands_under_finite_and_linear_compression():
    results = made(*CURVATURE)
    above, below = np.reshape(curvature.draw(results).axes, (2, 2))
    assert [len(axes.containers) for axes in above] == [2 * 2, 2 * 3]
    assert list(error_bars(below[1])) == ["10", "90", "170"]
    place, height, barred = error_bars(below[1])["170"]
    assert (place.tolist(), barred) == ([0.05, 0.1, 0.2], True)
    expected = results["curvature"].sel(purifier="DDIM 170").mean(("displacement", "draw", "probe", "image"))
    np.testing.assert_allclose(height, expected.values)


def test_displacements_of_two_kinds_ask_for_one():
    results = made(*CURVATURE)
    two = xr.concat([results.assign_coords(displacement=[name]) for name in ("uniform", "sphere")], "displacement")
    with pytest.raises(ValueError, match=r"of one displacement; compression_ratio has \['uniform', 'sphere'\]"):
        curvature.draw(two)
