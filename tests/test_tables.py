"""What tables say of facts that are made up."""

import csv
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from purigeom.schema import VARIABLES
from purigeom.tables.answers import surviving
from purigeom.tables.claims import AT_ONE_DEPTH, OVER_ALL, claims
from purigeom.tables.paper import TABLES, attacked_compression, attackers, purified_distances, robustness
from purigeom.tables.writing import Table, comma_separated, latex, markdown

PAGE = Path(__file__).parents[1] / "docs" / "paper.md"
FIXED, LONGER, BPDA = "PGD-10 linf, fixed, exact", "PGD-20 linf, fixed, exact", "PGD-10 linf, fixed, bpda"
EOT, BPDA_EOT = "PGD-10 linf, eot(8), exact", "PGD-10 linf, eot(8, logits), bpda"
DEPTHS = (10, 30, 60, 100, 150, 220)
PLACES = {
    "displacement": ["uniform linf ball", FIXED],
    "attack": [FIXED, LONGER, BPDA, EOT, BPDA_EOT],
    "radius": [0.2],
    "stage": ["before", "after"],
    "place": ["clean image", "anchor"],
    "direction": ["attack", "random"],
    "distance": [0.0, 1.0],
    "extractor": ["logits of it"],
    "count": [1, 4],
    **{dim: range(size) for dim, size in {"draw": 1, "probe": 2, "image": 16, "mode": 4, "feature": 3}.items()},
    **{dim: range(2) for dim in ("judgement", "along", "across")},
}
YES_OR_NO = ("classified", "survived", "survived_fresh", "survived_vote", "attack_failed", "anchor_kept")
NO = ("gradient_broken", "gradient_vanished")


def made(**facts):
    """Return made-up facts of every variable of the paper's store, of two samplers and of no purifier at all."""
    names = ["identity", *(f"{kind} {depth}" for kind in ("DDPM", "DDIM") for depth in DEPTHS)]
    recipes = ["Identity()", *(f"{kind}(depth={depth}, steps=4)" for kind in ("DDPM", "DDIM") for depth in DEPTHS)]
    chosen = [one for one in VARIABLES.values() if set(one.dims) <= set(PLACES)]
    sizes = {"purifier": len(names), **{dim: len(places) for dim, places in PLACES.items()}}
    generator, found = np.random.default_rng(0), {}
    for variable in chosen:
        dims = ("purifier", *variable.dims)
        values = generator.uniform(0.1, 0.9, [sizes[dim] for dim in dims])
        values = np.round(values) if variable.name in YES_OR_NO else values * (variable.name not in NO)
        found[variable.name] = (dims, values)
    known = {
        "purifier": names,
        "family": ("purifier", ["identity", *["diffusion"] * 12]),
        "network": ("purifier", ["", *["one"] * 12]),
        "recipe": ("purifier", recipes),
        "depth": ("purifier", [np.nan, *DEPTHS, *DEPTHS]),
    }
    return xr.Dataset(found, {**known, **PLACES}).map(lambda fact: fact).assign(**facts)


def rows_of(table):
    return {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}


def test_a_table_reads_the_same_from_a_spreadsheet() -> None:
    table = Table("Lengths", ("purifier", "l2, mean"), (("ddpm", "1 ± 2"), ('a "b", c', "3")))
    assert list(csv.reader(comma_separated(table).splitlines())) == [list(row) for row in (table.columns, *table.rows)]


def test_latex_gets_no_character_that_it_would_interpret() -> None:
    text = latex(Table("50 % & more", ("a_b", "c"), (("< 1", "2 ± 3 %"),)))
    assert r"\caption{50 \% \& more}" in text
    assert r"$<$ 1 & 2 $\pm$ 3 \% \\" in text
    assert r"a\_b & c \\" in text


def test_markdown_has_a_cell_for_every_column() -> None:
    lines = markdown(robustness(made())).splitlines()[2:]
    assert len({line.count("|") for line in lines}) == 1


def test_table_1_tells_means_with_standard_errors() -> None:
    results = made()
    values = np.where(np.arange(16) % 2, 1.0, 3.0)
    distances = results["l2_distance"] * 0 + xr.DataArray(values, dims="image")
    row = rows_of(purified_distances(results.assign(l2_distance=distances)))["DDPM 60"]
    assert row["l2 to clean"] == f"2.000 ± {np.std(values, ddof=1) / 4:.3f}"
    assert (row["sampler"], row["depth"], row["steps"]) == ("DDPM", "60", "4")
    assert "Fréchet, logits of it" in row


def test_table_1_tells_no_frechet_distance_of_too_few_images() -> None:
    assert "Fréchet" not in " ".join(purified_distances(made().isel(image=slice(3))).columns)


def test_table_2_parts_compression_by_whether_the_attack_failed() -> None:
    results = made()
    failed = xr.zeros_like(results["attack_failed"]) + (results["image"] < 4)
    ratios = xr.where(failed == 1, 0.2, 0.7).transpose(*failed.dims)
    table = attacked_compression(results.assign(attack_failed=failed, attacked_compression=ratios))
    row = rows_of(table)["DDIM 100"]
    assert row["PGD (robust)"] == "0.200 ± 0.000 (4)"
    assert row["PGD (non-robust)"] == "0.700 ± 0.000 (12)"


def test_table_3_tells_what_survives_who_knows_the_configuration() -> None:
    results = made()
    known = (results["attack"] == FIXED) | (results["attack"] == LONGER)
    survived = xr.ones_like(results["survived"]).where(~known, (results["image"] < 4).astype(float))
    row = rows_of(robustness(results.assign(survived=survived)))["DDPM 10"]
    assert row["PGD (fix)"].startswith("25.0 ± ")


def test_an_attack_that_broke_is_no_survival() -> None:
    results = made()
    broken = xr.zeros_like(results["gradient_broken"]) + (results["image"] < 8)
    survived = xr.ones_like(results["survived"]) * (results["image"] < 12)
    row = rows_of(robustness(results.assign(gradient_broken=broken, survived=survived)))["DDPM 10"]
    assert row["PGD (fix)"].startswith("50.0 ± "), "of the eight images whose gradient held, four survived"


def test_an_attack_is_told_only_of_whom_it_attacked() -> None:
    results = made()
    asked = (results["attack"] != EOT) | (results["purifier"] == "DDPM 100")
    table = attackers(results.assign({name: results[name].where(asked) for name in ("survived", "survived_fresh")}))
    assert [row[0] for row in table.rows if EOT in row] == ["DDPM 100"]
    assert sum(BPDA in row for row in table.rows) == 13


def test_every_table_names_facts_that_are_missing() -> None:
    empty = made().drop_vars(["l2_distance", "perturbed_l2", "compression_ratio", "survived"])
    for table in TABLES.values():
        with pytest.raises(ValueError, match="needs"):
            table(empty)


def test_every_claim_is_told_by_a_whole_store() -> None:
    results = made()
    compression = results["purifier"].copy(data=np.linspace(0.9, 0.1, 13))
    curve = 1 / (1 + np.exp(12 * (compression - 0.5)))
    survived = xr.zeros_like(results["survived"]) + (results["image"] < 16 * curve)
    ratios = xr.zeros_like(results["compression_ratio"]) + compression
    table = claims(results.assign(survived=survived, compression_ratio=ratios))
    assert not [row for row in table.rows if row[2].startswith("not told")]
    rows = rows_of(table)
    assert rows["rank correlation of compression and survival"]["here"].startswith("all -0.9")
    assert rows["the sigmoid of survival against compression"]["here"].startswith("midpoint 0.5")


def test_claims_quote_the_depth_nearest_to_the_paper_s() -> None:
    results = made().drop_vars("gradient_vanished")  # no curve, which takes seconds
    assert claims(results).title.endswith("DDPM 100, DDIM 100")
    assert claims(results, depth=50).title.endswith("DDPM 60, DDIM 60")


def test_a_claim_says_why_it_is_not_told() -> None:
    results = made().drop_vars(["eot_pearson", "gradient_vanished"])
    told = rows_of(claims(results))["correlation of a gradient with EOT's"]["here"]
    assert told.startswith("not told: ")
    assert "eot_pearson" in told


def test_an_attacker_is_found_by_what_it_knows_and_how_it_differentiates() -> None:
    results = made().isel(purifier=[1])
    survived = xr.zeros_like(results["survived_fresh"]) + (results["attack"] == BPDA_EOT)
    results = results.assign(survived_fresh=survived)
    assert surviving("survived_fresh", "eot", "bpda")(results).startswith("DDPM 100.0 ")
    assert surviving("survived_fresh", "eot", ", exact")(results).startswith("DDPM 0.0 ")


def test_the_page_quotes_every_claim_in_the_command_s_words() -> None:
    """Numbers change with the store; what is claimed, in which order, and of what form the answer is, does not."""
    lines = [line.split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    start = next(place for place, line in enumerate(lines) if line[0] == "| quantity")
    quoted = lines[start + 1 : start + 1 + len(AT_ONE_DEPTH) + len(OVER_ALL)]
    assert [(line[0].removeprefix("| "), line[1]) for line in quoted] == [
        (one.claim, one.paper) for one in (*AT_ONE_DEPTH, *OVER_ALL)
    ]
    assert not [line for line in quoted if line[2].startswith("not told")]
