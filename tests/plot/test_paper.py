"""Claims about the paper's figures: what is drawn equals what the facts say."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.container import BarContainer

from purigeom.plot import (
    approach,
    boundary_scan,
    caps,
    clean_accuracy,
    cloud,
    critical_compression,
    distances,
    eot,
    minimal_perturbation,
    sigmoid,
    slices,
    spectra,
    steadiness,
    steps,
)
from purigeom.plot.facts import by_depth, by_sampler
from purigeom.plot.protocol import attack_in_words, of_one_protocol
from purigeom.plot.style import save
from tests.plot.made import error_bars, made

DRAWN = {
    distances: ("perturbed_linf", "perturbed_ssim", "perturbed_l2"),
    steadiness: ("correlation_same_configuration", "correlation_same_input", "correlation_neither"),
    sigmoid: ("compression_ratio", "gradient_vanished", "survived"),
    minimal_perturbation: ("minimal_radius",),
    boundary_scan: ("first_crossing", "second_crossing", "scanned_margin"),
    cloud: ("cloud_rank", "cloud_variance"),
    spectra: ("singular_value",),
    critical_compression: ("critical_compression", "attack_failed", "attacked_compression"),
    clean_accuracy: ("classified", "compression_ratio"),
    eot: ("eot_cosine",),
    slices: ("slice_margin", "slice_class"),
    approach: ("anchor_kept", "approach"),
    caps: ("misclassified_share",),
}
EXTRA = {
    distances: ("l2_distance", "linf_distance", "ssim"),
    spectra: ("eigenvalue_magnitude",),
}
SAMPLED = ("draw", "image")


def named(plot):
    return plot.__name__.rpartition(".")[2]


def lines(axes):
    """Return the named lines of a panel by their label."""
    return {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_")}


@pytest.mark.parametrize("plot", DRAWN, ids=named)
def test_a_figure_without_its_facts_names_what_is_missing(plot):
    *there, missing = DRAWN[plot]
    with pytest.raises(ValueError, match=rf"^A figure of .* needs \['{missing}'\], which these results lack\. Ask"):
        plot.draw(made(*there, "psnr"))


@pytest.mark.parametrize("plot", DRAWN, ids=named)
def test_figures_are_saved_whole_beside_facts_of_other_measurements(plot, tmp_path):
    """Other facts have more draws, images, purifiers, radii, displacements and attacks, so that NaN stand between."""
    names = (*DRAWN[plot], *EXTRA.get(plot, ()))
    own = made(*names).isel(purifier=slice(0, 5), image=slice(0, 3), draw=[0])
    other = made("psnr", "curvature", "purifications").assign_coords(
        radius=[0.4, 0.5, 0.6], displacement=["elsewhere"], attack=["first", "second"]
    )
    both = xr.merge([own, other], join="outer", compat="no_conflicts")
    if plot is sigmoid:
        both = both.assign(survived=(both["survived"] > 0.5).where(both["survived"].notnull()))
    assert all(path.stat().st_size > 1000 for path in save(plot.draw(both), tmp_path / "figure"))


def test_distances_stand_after_and_before_purification_in_rows_of_displacements():
    results = made(*DRAWN[distances], *EXTRA[distances])
    panels = np.reshape(distances.draw(results).axes, (2, 3))
    assert [axes.get_title() for axes in panels[0]] == ["l2 distance", "linf distance", "SSIM"]
    assert [axes.get_ylabel() for axes in panels[:, 0]] == ["clean images", "uniform linf ball,\nradius 0.2"]
    purifiers = ["DDIM 10", "DDIM 90", "DDIM 170"]
    still = results["l2_distance"].sel(purifier=purifiers).mean(SAMPLED)
    np.testing.assert_allclose(error_bars(panels[0, 0])["DDIM"][1], still)
    moved = results["perturbed_ssim"].sel(purifier=purifiers, radius=0.2, displacement="uniform linf ball")
    np.testing.assert_allclose(error_bars(panels[1, 2])["DDIM"][1], moved.sel(stage="after").mean(SAMPLED))
    dashed = [line for line in panels[1, 2].lines if line.get_linestyle() == "--"][1]
    np.testing.assert_allclose(dashed.get_ydata(orig=False), moved.sel(stage="before").mean(SAMPLED))


def test_correlations_are_counted_near_depth_100_and_averaged_at_every_depth():
    results = made(*DRAWN[steadiness])
    above, below = np.reshape(steadiness.draw(results).axes, (2, 2))
    assert [axes.get_xlabel() for axes in above] == ["correlation at depth 90"] * 2
    bars = [one for one in below[1].containers if isinstance(one, BarContainer)]
    assert [one.get_label() for one in bars] == ["same configuration", "same input", "neither"]
    expected = results["correlation_neither"].sel(purifier=["DDIM 10", "DDIM 90", "DDIM 170"], radius=0.2)
    np.testing.assert_allclose([one.get_height() for one in bars[2]], expected.mean((*SAMPLED, "displacement")))
    outline = above[0].patches[0].get_xy()[:, 1]
    facts = results["correlation_same_configuration"].sel(purifier="DDPM 90", radius=0.2).values
    assert outline.max() == pytest.approx(np.histogram(facts, steadiness.BINS)[0].max() / facts.size)


def test_minimal_perturbations_are_shares_of_all_images_even_of_those_never_fooled():
    results = made("minimal_radius")
    never = results.assign(minimal_radius=results["minimal_radius"].where(results["image"] > 1, np.inf))
    panels = np.reshape(minimal_perturbation.draw(never).axes, (2, 2))
    assert [axes.get_ylabel() for axes in panels[:, 0]] == ["share fooled at the anchor", "share fooled at the defence"]
    line = lines(panels[0, 0])["10"]
    assert line.get_ydata()[-1] == pytest.approx(3 / 5)
    radii = np.sort(never["minimal_radius"].sel(purifier="DDPM 10", place="anchor").values.flatten())
    np.testing.assert_allclose(line.get_xdata()[1:-1], radii[np.isfinite(radii)])
    still = never["minimal_radius"].sel(purifier="DDPM 10", place="clean image").isel(draw=0).values
    np.testing.assert_allclose(lines(panels[1, 0])["clean image"].get_xdata()[1:-1], np.sort(still[2:]))


def test_scans_are_medians_and_images_that_never_cross_count_in_the_shares():
    results = made(*DRAWN[boundary_scan])
    sure = results.assign(first_crossing=results["first_crossing"].where(results["image"] > 0))
    attack, random, crossed = np.reshape(boundary_scan.draw(sure).axes, (3, 2))
    for axes, direction in ((attack[1], "attack"), (random[1], "random")):
        expected = results["scanned_margin"].sel(purifier="DDIM 10", direction=direction).median(SAMPLED)
        np.testing.assert_allclose(axes.lines[0].get_ydata(), expected)
    assert lines(crossed[1])["10"].get_ydata()[-1] == pytest.approx(4 / 5)


def test_clouds_show_summed_shares_and_ranks():
    results = made(*DRAWN[cloud])
    *panels, last = cloud.draw(results).axes
    chosen = results["cloud_variance"].sel(purifier="DDPM 90", radius=0.2, displacement="uniform linf ball")
    line = lines(panels[0])["90"]
    np.testing.assert_allclose(line.get_ydata(), chosen.cumsum("mode").median(SAMPLED))
    assert line.get_xdata().tolist() == [1, 2, 3, 4]
    ranks = results["cloud_rank"].sel(purifier=["DDPM 10", "DDPM 90"], radius=0.2).mean((*SAMPLED, "displacement"))
    np.testing.assert_allclose(error_bars(last)["DDPM"][1], ranks)


def test_spectra_tell_the_compressed_share_and_stand_above_eigenvalues():
    results = made("singular_value", "eigenvalue_magnitude")
    above, below = np.reshape(spectra.draw(results).axes, (2, 2))
    values = results["singular_value"].sel(purifier="DDIM 170")
    below_threshold = 100 * (values < 0.25).mean().item()
    line = lines(above[1])[f"170 ({below_threshold:.0f} %)"]
    np.testing.assert_allclose(line.get_ydata(), values.median(SAMPLED))
    expected = results["eigenvalue_magnitude"].sel(purifier="DDIM 10").median(SAMPLED)
    np.testing.assert_allclose(below[1].lines[0].get_ydata(), expected)


def test_critical_compression_parts_who_is_robust():
    """Where attacks fail exactly below the critical compression, all shares are one left of it and zero right of it."""
    results = made(*DRAWN[critical_compression])
    sharp = results["attacked_compression"] < results["critical_compression"]
    left, right, *_ = critical_compression.draw(results.assign(attack_failed=sharp)).axes
    robust, other = (points.get_offsets() for points in left.collections)
    assert (robust[:, 1] < robust[:, 0]).all()
    assert (other[:, 1] >= other[:, 0]).all()
    assert len(robust) + len(other) == 6 * 2 * 5
    place, share = error_bars(right)[right.containers[0].get_label()][:2]
    assert set(share[place < 0.8]) == {1}
    assert set(share[place > 1.25]) == {0}


def test_images_without_a_boundary_in_reach_are_in_no_quotient():
    results = made(*DRAWN[critical_compression])
    far = results.assign(critical_compression=results["critical_compression"].where(results["image"] > 0, np.inf))
    assert len(critical_compression.pooled(far, results["attack"].values[0])[0]) == 6 * 2 * 4


def test_clean_accuracy_stands_over_compression_of_every_purifier():
    results = made(*DRAWN[clean_accuracy])
    (axes,) = clean_accuracy.draw(results).axes
    assert list(error_bars(axes)) == ["Identity", "DDPM", "DDIM"]
    across, up, _ = error_bars(axes)["DDPM"]
    chosen = results.sel(purifier=["DDPM 90", "DDPM 10"], radius=0.2)
    np.testing.assert_allclose(across, chosen["compression_ratio"].mean(("displacement", "probe", *SAMPLED)))
    np.testing.assert_allclose(up, chosen["classified"].mean(SAMPLED))


def test_gradients_of_eot_stand_over_the_number_of_draws():
    results = made("eot_cosine")
    first, _ = eot.draw(results).axes
    place, height, _ = error_bars(first)["10"]
    assert place.tolist() == [1, 4, 16]
    np.testing.assert_allclose(height, results["eot_cosine"].sel(purifier="DDPM 10").mean(SAMPLED))


def test_slices_are_drawn_of_purifiers_across_the_store_with_the_attack_upwards():
    results = made(*DRAWN[slices])
    panels = np.reshape(slices.draw(results).axes, (4, 4))
    assert [axes.get_ylabel().split("\n")[0] for axes in panels[:, 0]] == ["identity", "DDPM 10", "DDIM 10", "DDIM 170"]
    plane = results["slice_class"].isel(purifier=-1, draw=0, image=0).transpose("along", "across")
    np.testing.assert_allclose(panels[3, 0].collections[0].get_array(), plane)


def test_approach_is_drawn_for_every_radius_above_the_kept_class():
    results = made(*DRAWN[approach])
    above, below = np.reshape(approach.draw(results).axes, (2, 2))
    names = [f"uniform linf ball, {radius}" for radius in (0.05, 0.1, 0.2)]
    assert list(error_bars(above[0])) == names
    for axes, name in ((above[0], "approach"), (below[0], "anchor_kept")):
        expected = results[name].sel(purifier=["DDPM 10", "DDPM 90"], radius=0.1)
        np.testing.assert_allclose(error_bars(axes)[names[1]][1], expected.mean(("displacement", "probe", *SAMPLED)))


def test_caps_stand_around_anchors_and_clean_images():
    results = made("misclassified_share")
    figure = caps.draw(results)
    first, _ = figure.axes
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["10", "90", "170", "clean image"]
    assert list(error_bars(first)) == ["clean image", "10", "90"]
    expected = results["misclassified_share"].sel(purifier="DDPM 90", place="anchor").mean(SAMPLED)
    np.testing.assert_allclose(error_bars(first)["90"][1], expected)


def test_a_protocol_is_the_fixed_attacker_at_the_largest_shared_radius():
    results = made("compression_ratio", "survived")
    without = results.assign(compression_ratio=results["compression_ratio"].where(results["radius"] < 0.15))
    chosen = of_one_protocol(without, "This")
    assert attack_in_words(chosen) == "PGD-10 linf, fixed, exact, radius 0.1"
    assert chosen["compression_ratio"].dropna("radius", how="all")["radius"].values.tolist() == [0.1]
    bpda = of_one_protocol(results, "This", "PGD-10 linf, fixed, bpda")
    assert attack_in_words(bpda) == "PGD-10 linf, fixed, bpda, radius 0.2"


def test_sigmoids_are_fitted_to_each_attack_and_say_where_none_fits():
    results = made("compression_ratio", "survived", "gradient_vanished")
    ratios = xr.zeros_like(results["compression_ratio"]) + xr.DataArray(
        [1.0, 0.3, 0.8, 0.75, 0.5, 0.25], dims="purifier"
    )
    thresholds = xr.DataArray(np.linspace(0.4, 0.9, 5), dims="image")
    survived = (ratios.mean(("displacement", "probe")) < thresholds).expand_dims(attack=2)
    lost = survived.where(xr.DataArray([True, False], dims="attack"), False).transpose(*results["survived"].dims)
    facts = {"compression_ratio": ratios, "gradient_vanished": 0 * results["gradient_vanished"], "survived": lost}
    fitted, empty = sigmoid.draw(results.assign(facts)).axes
    assert fitted.get_title() == "PGD-10 linf, fixed, exact, radius 0.2"
    assert fitted.texts[-1].get_text().startswith("mean absolute error\nin sample: ")
    assert empty.texts[-1].get_text() == "no sigmoid fits these points"
    assert list(error_bars(fitted)) == list(error_bars(empty)) == ["Identity", "DDPM", "DDIM"]
    partly = lost.where(lost["purifier"] != "DDIM 170").astype(float)
    hollow = sigmoid.draw(results.assign({**facts, "survived": partly})).axes[0]
    assert list(error_bars(hollow)) == ["Identity", "DDPM", "DDIM"], "what was not attacked is not drawn"
    expected = 1 - survived.isel(attack=0, radius=0, draw=0).mean("image")
    np.testing.assert_allclose(1 - error_bars(fitted)["DDPM"][1], expected.isel(purifier=[1, 2]))


def in_steps(results):
    recipes = ["Identity()", *(f"DDIM(depth={depth}, steps=4)" for depth in (90, 10))]
    recipes += [f"DDIM(depth=90, steps={count})" for count in (16, 2, 8)]
    depths = [np.nan, 90.0, 10.0, 90.0, 90.0, 90.0]
    return results.assign_coords(recipe=("purifier", recipes), depth=("purifier", depths))


def test_steps_are_drawn_where_only_they_vary():
    results = in_steps(made("compression_ratio", "classified", "survived"))
    panels = steps.draw(results).axes
    assert len(panels) == 3
    place, height, _ = error_bars(panels[1])["DDIM 90"]
    assert place.tolist() == [2, 4, 8, 16]
    np.testing.assert_allclose(height, results["classified"].isel(purifier=[4, 1, 5, 3]).mean(SAMPLED))
    expected = results["survived"].isel(purifier=4).sel(attack="PGD-10 linf, fixed, exact", radius=0.2).mean()
    assert error_bars(panels[2])["DDIM 90"][1][0] == pytest.approx(expected.item())
    with pytest.raises(ValueError, match="needs a sampler at one depth with several numbers of steps"):
        steps.draw(made("compression_ratio"))


def test_a_shade_means_the_same_depth_for_every_sampler():
    ddpm, ddim = by_sampler(made("psnr"), "This", "psnr").values()
    assert dict(by_shade(ddpm))["90"] == dict(by_shade(ddim))["90"]
    assert dict(by_shade(ddim))["170"] < dict(by_shade(ddim))["10"]


def by_shade(purifiers):
    return [(depth, shade[0]) for depth, shade, _ in by_depth(purifiers)]


def test_a_series_over_depth_varies_nothing_but_depth():
    results = in_steps(made("psnr"))
    assert {name: one["depth"].values.tolist() for name, one in by_sampler(results, "This", "psnr").items()} == {
        "DDIM": [10, 90]
    }
    two = results.isel(purifier=[0, 1, 2, 1, 2]).assign_coords(
        recipe=("purifier", ["Identity()", *(f"DDIM(depth={d}, steps={s})" for s in (4, 16) for d in (90, 10))])
    )
    assert list(by_sampler(two, "This", "psnr")) == ["DDIM", "DDIM, steps=16"]
