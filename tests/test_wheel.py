"""The package as users install it: outside the checkout, with its data and weights."""

import subprocess
import sys
from pathlib import Path

CODE = """
import purigeom, torch
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.images import Digits
from purigeom.models import lying, manifest, published
from purigeom.prediction.files import load, shipped
assert [load(path).sizes["purifier"] for path in shipped().values()] == [22, 22, 44, 44, 84, 84]
batch = Digits()[:4].load()
assert "site" in purigeom.__file__, purigeom.__file__
assert CLASSIFIERS["digits"].load()(batch.images).shape == (4, 10)
DIGITS_UNET.check((1, 8, 8))
assert len(manifest()) > 10
assert "site" in str(lying(published("digits-ddpm")))
print(len(DIGITS_UNET.content()))
"""


def test_the_wheel_works_outside_the_checkout(tmp_path) -> None:
    root, site = Path(__file__).parents[1], tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, root], check=True)
    (wheel,) = tmp_path.glob("purigeom-*.whl")
    assert wheel.stat().st_size < 8e6
    subprocess.run([*pip, "install", "--no-deps", "--target", site, wheel], check=True)
    found = subprocess.run(
        [sys.executable, "-c", CODE], cwd=tmp_path, env={"PYTHONPATH": str(site)}, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip() == "64"
