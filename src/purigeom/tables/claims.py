"""What arXiv 2505.22839 claims, with its numbers, beside what a store says of the same."""

from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from purigeom.calibration import sampler
from purigeom.tables import answers, curves, paired
from purigeom.tables.answers import Answer
from purigeom.tables.cells import purifiers
from purigeom.tables.writing import Table

DEPTH = 100
"""Of 1000: where the paper purifies CIFAR-10; of every sampler the nearest depth is quoted."""


@dataclass(frozen=True)
class Claim:
    """One claim, what the paper says of it, and how a store's facts say the same."""

    claim: str
    paper: str
    ours: Answer = field(repr=False)


def claims(results: xr.Dataset, depth: float = DEPTH) -> Table:
    """Return every number of the paper beside ours, at the depth nearest to its own unless a row says otherwise."""
    quoted = results.isel(purifier=_nearest(results, depth))
    rows = [(one.claim, one.paper, _told(one, quoted)) for one in AT_ONE_DEPTH]
    rows += [(one.claim, one.paper, _told(one, results)) for one in OVER_ALL]
    settings = ", ".join(name for name, _ in purifiers(quoted))
    return Table(f"The paper's numbers beside those of {settings}", ("quantity", "paper", "here"), tuple(rows))


def _nearest(results: xr.Dataset, depth: float) -> list[int]:
    """Return the places of every sampler's purifier of the nearest depth, the first where there are several."""
    samplers = [sampler(str(recipe)) for recipe in results["recipe"].values]
    far = np.abs(results["depth"].values - depth)
    deep = [kind for place, kind in enumerate(samplers) if np.isfinite(far[place])]
    members = [[place for place, one in enumerate(samplers) if one == kind] for kind in dict.fromkeys(deep)]
    return [min(places, key=lambda place: far[place]) for places in members]


def _told(claim: Claim, results: xr.Dataset) -> str:
    """Return our number, or why there is none."""
    try:
        return claim.ours(results)
    except (KeyError, ValueError, RuntimeError) as error:
        return f"not told: {str(error).partition('.')[0]}"


AT_ONE_DEPTH = (
    Claim("l2 to clean, attacked", "1.1 to 1.2", answers.by_attack("perturbed_l2", "before")),
    Claim(
        "l2 to clean, attacked and purified",
        "2.8 to 3.6; Reverse-only 3.084; DDIM 2.895 ± .456; one step 2.692 ± .444",
        answers.by_attack("perturbed_l2", "after"),
    ),
    Claim("l2 to clean, clean and purified", "not found", answers.of_all("l2_distance")),
    Claim("linf to clean, attacked", ".031", answers.by_attack("perturbed_linf", "before")),
    Claim(
        "linf to clean, attacked and purified",
        "Reverse-only .273; DDIM .249 ± .041; one step .239 ± .044",
        answers.by_attack("perturbed_linf", "after"),
    ),
    Claim("l2, attacked: after less before", "grows", paired.l2_moved),
    Claim("SSIM, attacked", ".963 ± .030", answers.by_attack("perturbed_ssim", "before")),
    Claim("SSIM, uniformly perturbed", ".966 ± .032", answers.by_chance("perturbed_ssim", "before")),
    Claim(
        "SSIM, attacked and purified",
        "DiffPure .791 ± .085; Reverse-only .834",
        answers.by_attack("perturbed_ssim", "after"),
    ),
    Claim(
        "correlation of f(x) - x0, same configuration", ".9954", answers.of_uniform("correlation_same_configuration")
    ),
    Claim("the same, same input", ".2368", answers.of_uniform("correlation_same_input")),
    Claim("same configuration less same input", ".76", paired.configuration_less_input),
    Claim("the same, neither", "not found", answers.of_uniform("correlation_neither")),
    Claim("signal to noise of f(x0) - x0", "not found", answers.of_all("displacement_snr")),
    Claim("distance to the anchor, after over before", "not found", answers.of_uniform("approach")),
    Claim("classified as the anchor is, random", "not found", answers.of_uniform("anchor_kept", "%")),
    Claim("compression, uniform", "about .24", answers.of_uniform("compression_ratio")),
    Claim("root mean square of singular values", "not found", answers.spectrum_norm),
    Claim("singular values below .25", "> 90 %", answers.share_below),
    Claim("rank of a purified ball of 64 points", "not found", answers.of_uniform("cloud_rank")),
    Claim("compression along the data", "not found", answers.of_all("on_manifold_compression")),
    Claim("compression across the data", "not found", answers.of_all("off_manifold_compression")),
    Claim("compression, PGD (robust)", "not found", answers.along_attacks(1)),
    Claim("compression, PGD (non-robust)", "not found", answers.along_attacks(0)),
    Claim("compressed below the critical ratio, robust", "not found", answers.below_critical(1)),
    Claim("compressed below the critical ratio, non-robust", "not found", answers.below_critical(0)),
    Claim("least linf radius, clean image (quartiles)", "not found", answers.least_radius("clean image")),
    Claim("least linf radius, anchor (quartiles)", "not found", answers.least_radius("anchor")),
    Claim("anchor less clean image", "not found", paired.anchor_less_clean),
    Claim("first crossing along the attack, l2", "scanned up to 1", answers.crossing("first_crossing")),
    Claim("second crossing, l2", "beyond 5", answers.crossing("second_crossing")),
    Claim("images that cross again up to 6", "not found", answers.crossed_twice),
    Claim("clean accuracy", "DDIM 87.9; one step 85.2; DiffPure 79.61 (t = 150)", answers.of_all("classified", "%")),
    Claim("survive PGD, same configuration", "23.7 %", answers.surviving("survived", "fixed, exact")),
    Claim("survive its transfer to fresh ones", "about 77 %", answers.surviving("survived_fresh", "fixed, exact")),
    Claim("fresh less same configuration", "about 53 points", paired.fresh_less_pinned),
    Claim(
        "survive PGD-EOT, fresh configurations",
        "about 70 %; one step 48.3",
        answers.surviving("survived_fresh", "eot", ", exact"),
    ),
    Claim(
        "survive BPDA, same configuration",
        "DiffPure 68.00; Reverse-only 74.20",
        answers.surviving("survived", "fixed, bpda"),
    ),
    Claim("BPDA less exact gradients", "about 44 points", paired.less_exact("fixed, bpda")),
    Claim(
        "survive BPDA-EOT, fresh",
        "DiffPure 67.20; Reverse-only 74.90",
        answers.surviving("survived_fresh", "eot", "bpda"),
    ),
    Claim("correlation of a gradient with EOT's", "about .17", answers.eot_correlation),
    Claim(
        "length of the gradient, over that behind the purifier",
        "explodes or vanishes past 300",
        answers.of_all("gradient_stretch"),
    ),
)
"""Quoted of one purifier per sampler."""

OVER_ALL = (
    Claim("the sigmoid of survival against compression", "parameters not found", curves.fitted),
    Claim("its errors, and what it must beat", "not found", curves.held_out),
    Claim("the sigmoid at no compression ratio at all", "clean accuracy", curves.at_zero),
    Claim("rank correlation of compression and survival", "beyond .9 in size, a summary says", curves.ranks),
    Claim("most that survives, compression above .8", "hardly any", curves.weakly_compressed),
    Claim("most that survives, by depth", "not found", curves.peaks),
    Claim("rank correlation of compression and clean accuracy", "not found", curves.clean_ranks),
    Claim("survival with twice the attack's steps", "not found", curves.doubled),
)
"""Of all purifiers together."""
