"""Claims about `purigeom contract` and `diagnose`."""

import pytest

from purigeom.catalog import PURIFIERS
from tests.commands.mine import MINE

BAD = {
    "couples images of a batch": "images - images.mean()",
    "hides randomness": "images + 0 * images + __import__('torch').rand_like(images)",
    "must keep the shape": "images[:, :, 1:]",
    "NaN or infinity for image 3": "images / 0 * 0",
    "pixels as far as 1e+03, which has diverged, for image 3": "1000 * images",
}


@pytest.mark.parametrize(("law", "body"), BAD.items(), ids=BAD)
def test_contract_says_which_law_a_purifier_breaks(command, tmp_path, law, body):
    path = tmp_path / f"breaks_{law.split()[0]}.py"
    path.write_text(MINE.format(body=body))
    code, out, err = command("contract", f"{path}:mine")
    assert (code, out) == (2, "")
    assert law in err
    assert "Mine(factor=0.5)" in err


@pytest.mark.parametrize("name", ["Nobody", "number"])
def test_contract_names_what_is_no_purifier_and_wraps_a_function(command, tmp_path, name):
    path = tmp_path / f"others_{name}.py"
    path.write_text("number = 3\ndef half(images):\n    return images / 2\nclass Nobody:\n    pass\n")
    code, out, err = command("contract", f"{path}:{name}")
    assert (code, out) == (2, "")
    assert f"{path}:{name} must have `pin(noise, image_shape)`, or be a function or module of images; got" in err
    code, out, err = command("contract", f"{path}:half", "--images", "digits:3")
    assert (code, err) == (0, "")
    assert "keeps the contract on 3 images" in out


def test_contract_has_good_news_of_a_good_purifier(command):
    code, out, err = command("contract", "gaussian-noise", "--images", "digits:3")
    assert (code, err) == (0, "")
    first, second = out.splitlines()
    assert first == f"{PURIFIERS['gaussian-noise']!r} keeps the contract on 3 images."
    assert second.startswith("Its derivatives agree with each other and")


def test_contract_knows_what_is_wrong_with_derivatives(command, tmp_path):
    path = tmp_path / "leaves_the_graph.py"
    path.write_text(MINE.format(body="self.factor * images + images.detach()"))
    code, out, err = command("contract", f"{path}:mine")
    assert (code, out) == (2, "")
    assert err.startswith("purigeom: Mine(factor=0.5) declares differentiability 'exact', but derivatives differ")


def test_contract_leaves_steps_unchecked_and_says_so(command):
    code, out, _ = command("contract", "bit-depth", "--images", "digits:2")
    assert code == 0
    assert "'piecewise constant': derivatives are not checked, and measures of finite displacements still" in out


def test_diagnose_names_what_hides_randomness_and_clears_what_does_not(command, tmp_path):
    (tmp_path / "mine.py").write_text(MINE.format(body="images + 0.1 * images.new_empty(images.shape).normal_()"))
    code, out, _ = command("diagnose", f"{tmp_path / 'mine.py'}:mine")
    assert (code, out.partition(":")[0]) == (0, "Hidden randomness")
    code, out, _ = command("diagnose", "gaussian-blur", "--images", "digits:3")
    assert (code, out.partition(" of ")[0]) == (0, "Nothing suspicious")
    assert out.endswith("on 3 images.\n")
