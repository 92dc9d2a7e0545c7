"""Claims about descriptions that are built from what a store says of them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from purigeom.catalog import ATTACKS, CLASSIFIERS, DISPLACEMENTS, IMAGES, PURIFIERS
from purigeom.identity import recipe
from purigeom.purifiers.diffusion.edm_sampling import EDMSampling
from purigeom.purifiers.jpeg import JPEG
from purigeom.purifiers.wrapped import wrap
from purigeom.rebuilding import rebuilt

EVERYTHING = {**ATTACKS, **DISPLACEMENTS, **CLASSIFIERS, **PURIFIERS, **IMAGES}


@pytest.mark.parametrize("name", EVERYTHING)
def test_everything_in_the_catalogue_is_built_again(name) -> None:
    try:
        stored = recipe(EVERYTHING[name])
    except FileNotFoundError:
        pytest.skip(f"{name} needs a file that is not there")
    assert rebuilt(stored) == EVERYTHING[name]


def test_infinite_settings_are_numbers_and_no_names() -> None:
    digits_edm = PURIFIERS["digits-edm"]
    assert isinstance(digits_edm, EDMSampling)
    assert rebuilt(recipe(digits_edm)).churn_highest == math.inf


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch harmed')",
        "JPEG(quality=open('harmed', 'w'))",
        "(lambda: open('harmed', 'w'))()",
        "JPEG.__init__.__globals__",
        "[open('harmed', 'w') for _ in (1,)]",
        "f'{open(chr(104))}'",
        "JPEG(**{'quality': 30})",
        "JPEG(quality=-30)",
        "UNet(checkpoint='../../etc')",
        "JPEG(",
        "(" * 5000,
        "",
    ],
)
def test_nothing_but_descriptions_is_built(text, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"cannot be built from its recipe: .* Give the object itself, from Python"):
        rebuilt({"description": text, "content": {}})
    assert not list(tmp_path.iterdir())


@given(some.text(alphabet="JPEGUNet(quality=30)[]{},'.:_ +-*", max_size=40))
def test_any_text_is_refused_in_words_or_is_a_description(text) -> None:
    with pytest.raises(ValueError, match=r"cannot be built from its recipe|is no longer what was stored"):
        rebuilt({"description": text, "content": {}})


def test_a_recipe_of_other_versions_or_weights_is_not_what_it_was() -> None:
    stored = recipe(JPEG(30))
    with pytest.raises(ValueError, match=r"is no longer what was stored: it was"):
        rebuilt({**stored, "content": {"JPEG version": "0"}})


def test_a_stranger_s_purifier_is_not_guessed() -> None:
    mine = wrap(lambda images: images / 2, name="mine")
    with pytest.raises(ValueError, match="Give the object itself, from Python"):
        rebuilt(recipe(mine))
