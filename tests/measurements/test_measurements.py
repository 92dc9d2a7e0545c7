"""What every measurement must do, and what each says of maps whose answer is known."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
import xarray as xr

from purigeom.attacks.adversary import Adversary
from purigeom.attacks.pgd import PGD
from purigeom.catalog import BASELINES, CLASSIFIERS, DIGITS_UNET
from purigeom.defence.gradients import BPDA, FullGraph
from purigeom.defence.knowledge import EOT
from purigeom.geometry.displacement import Corners, Sphere
from purigeom.geometry.spectrum.adaptive import Tolerance
from purigeom.images import Digits
from purigeom.measurements import points
from purigeom.measurements.anchors import Anchors
from purigeom.measurements.attacked_compression import AttackedCompression
from purigeom.measurements.attacked_distances import AttackedDistances
from purigeom.measurements.boundary_scan import BoundaryScan
from purigeom.measurements.boundary_slice import BoundarySlice
from purigeom.measurements.caps import Caps
from purigeom.measurements.cloud import Cloud
from purigeom.measurements.compression import Compression
from purigeom.measurements.curvature import Curvature
from purigeom.measurements.directions import Directions
from purigeom.measurements.distances import Distances
from purigeom.measurements.features import Features, Logits
from purigeom.measurements.gallery import Gallery
from purigeom.measurements.gradient_geometry import GradientGeometry
from purigeom.measurements.gradient_modes import GradientModes
from purigeom.measurements.leading_spectrum import LeadingSpectrum
from purigeom.measurements.margins import Margins
from purigeom.measurements.minimal_perturbation import MinimalPerturbation
from purigeom.measurements.perturbed_distances import PerturbedDistances
from purigeom.measurements.singular_vectors import SingularVectors
from purigeom.measurements.soundness import Soundness
from purigeom.measurements.spectrum import Spectrum
from purigeom.measurements.steadiness import Steadiness
from purigeom.measurements.survival import Survival
from purigeom.noise import Noise
from purigeom.protocols import Batch
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.wrapped import wrap
from purigeom.schema import validate

BATCH = Digits()[:6].load()
NOISE = Noise(0, BATCH.image_ids)
MEASUREMENTS = {
    "compression": Compression((0.1, 0.2), probes=3, draws=2),
    "distances": Distances(draws=2),
    "spectrum": Spectrum(),
    "leading-spectrum": LeadingSpectrum(Tolerance(count=4), draws=2),
    "leading-spectrum-half": LeadingSpectrum(Tolerance(count=4), half_precision=True),
    "curvature": Curvature((0.05, 0.2), probes=3, draws=2),
    "directions": Directions(Digits("train")[:200], along=3, neighbours=8, tolerance=Tolerance(count=4), draws=2),
    "singular-vectors": SingularVectors(Tolerance(count=2), draws=2),
    "survival": Survival(CLASSIFIERS["digits"], (0.05, 0.2), PGD(2), draws=2, judgements=3),
    "survival-eot": Survival(CLASSIFIERS["digits"], (0.2,), Adversary(PGD(2), EOT(2, "logits"), BPDA()), draws=2),
    "gradient-modes": GradientModes(CLASSIFIERS["digits"], (BPDA(), FullGraph()), draws=2),
    "gradient-geometry": GradientGeometry(CLASSIFIERS["digits"], (1, 3), draws=2),
    "soundness": Soundness(CLASSIFIERS["digits"], draws=2),
    "perturbed-distances": PerturbedDistances((0.1, 0.2), draws=2),
    "attacked-distances": AttackedDistances(CLASSIFIERS["digits"], (0.05, 0.2), PGD(2), draws=2),
    "steadiness": Steadiness((0.1, 0.2), points=3, draws=2),
    "anchors": Anchors(CLASSIFIERS["digits"], (0.1, 0.2), probes=3, draws=2),
    "margins": Margins(CLASSIFIERS["digits"], (0.1, 0.2), pairs=3, draws=2),
    "cloud": Cloud((0.1, 0.2), points=5, draws=2),
    "features": Features(Logits(CLASSIFIERS["digits"], "digits"), draws=2),
    "minimal-perturbation": MinimalPerturbation(
        CLASSIFIERS["digits"], ("clean image", "anchor", "defence"), PGD(2), halvings=2, draws=2
    ),
    "caps": Caps(CLASSIFIERS["digits"], (0.5, 2.0), probes=9, draws=2),
    "boundary-scan": BoundaryScan(CLASSIFIERS["digits"], 0.2, (0.0, 0.5, 1.0, 2.0), PGD(2), draws=2),
    "boundary-slice": BoundarySlice(CLASSIFIERS["digits"], 0.2, 1.0, PGD(2), points=3, draws=2),
    "attacked-compression": AttackedCompression(CLASSIFIERS["digits"], (0.1, 0.2), PGD(2), draws=2, halvings=3),
    "gallery": Gallery(draws=2),
}
HALVING = wrap(lambda images: images / 2, name="halving")
SMOOTHING = wrap(lambda images, noise: images + 0.25 * noise, name="smoothing")


@dataclass(frozen=True)
class Brightness:
    """Classify by mean brightness: the best attack shifts every pixel the same way."""

    def load(self):
        def logits(images):
            offset = images.mean((1, 2, 3)) - 0.5
            return torch.stack([-offset, offset], 1)

        return logits


@pytest.mark.parametrize("measurement", MEASUREMENTS.values(), ids=MEASUREMENTS.keys())
def test_answers_follow_the_schema_and_no_split_of_the_images_changes_them(measurement) -> None:
    purifier = DDPM(DIGITS_UNET, depth=50, steps=2)
    whole = validate(measurement(purifier, BATCH, NOISE))
    parts = [measurement(purifier, BATCH[part], NOISE[part]) for part in (slice(0, 1), slice(1, 6))]
    joined = xr.concat(parts, "image", data_vars="minimal")
    xr.testing.assert_allclose(whole.astype(float), joined.astype(float), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("measurement", MEASUREMENTS.values(), ids=MEASUREMENTS.keys())
def test_a_draw_is_the_same_configuration_however_many_are_asked(measurement) -> None:
    if measurement.draws == 1:
        pytest.skip("this measurement is asked for one draw")
    two, one = (replace(measurement, draws=draws)(SMOOTHING, BATCH, NOISE) for draws in (2, 1))
    xr.testing.assert_allclose(two.isel(draw=[0]).astype(float), one.astype(float))


def test_compression_of_halving_is_one_half_for_every_displacement() -> None:
    for displacement in (None, Corners(), Sphere()):
        settings = {"displacement": displacement} if displacement else {}
        ratios = Compression((0.1, 1.0), **settings)(HALVING, BATCH, NOISE).compression_ratio
        np.testing.assert_allclose(ratios, 0.5, rtol=1e-4)


def test_pinned_smoothing_moves_nothing_apart() -> None:
    """With its noise pinned, adding noise is a translation: it compresses nothing."""
    ratios = Compression((0.1,))(SMOOTHING, BATCH, NOISE).compression_ratio
    np.testing.assert_allclose(ratios, 1, rtol=1e-4)


def test_probes_of_few_images_travel_together_and_agree_with_one_by_one(monkeypatch) -> None:
    purifier, measurement = DDPM(DIGITS_UNET, depth=50, steps=2), Compression((0.1,), probes=5)
    together = measurement(purifier, BATCH, NOISE)
    monkeypatch.setattr(points, "ON_CPU", 64)  # one digit
    xr.testing.assert_allclose(together, measurement(purifier, BATCH, NOISE), rtol=1e-3)


def test_compression_goes_on_with_fewer_images_where_memory_ends() -> None:
    def hungry(images: torch.Tensor) -> torch.Tensor:
        if len(images) > 2:
            msg = "out of memory"
            raise torch.OutOfMemoryError(msg)
        return images / 2

    ratios = Compression((0.1,), probes=5)(wrap(hungry, name="hungry"), BATCH, NOISE).compression_ratio
    np.testing.assert_allclose(ratios, 0.5, rtol=1e-4)


def test_distances_of_a_shift_are_known() -> None:
    shifted = Distances()(wrap(lambda images: images + 0.1, name="shift"), BATCH, NOISE)
    np.testing.assert_allclose(shifted.linf_distance, 0.1, rtol=1e-5)
    np.testing.assert_allclose(shifted.l2_distance, 0.1 * 8, rtol=1e-5)
    np.testing.assert_allclose(shifted.l1_distance, 0.1 * 64, rtol=1e-5)
    np.testing.assert_allclose(shifted.psnr, 20, rtol=1e-5)


def test_the_spectrum_predicts_compression_along_the_sphere() -> None:
    """E |Jd|^2 / |d|^2 = |J|_F^2 / D for small displacements."""
    purifier = DDPM(DIGITS_UNET, depth=50, steps=2)
    values = Spectrum()(purifier, BATCH, NOISE).singular_value
    ratios = Compression((0.01,), Sphere(), probes=200)(purifier, BATCH, NOISE).compression_ratio
    sampled = (ratios**2).mean("probe").squeeze(drop=True)
    np.testing.assert_allclose(sampled, (values**2).mean("mode").squeeze(drop=True), rtol=0.1)


def test_an_image_falls_exactly_when_the_radius_passes_its_margin() -> None:
    offsets = torch.tensor([-0.2, -0.12, -0.03, 0.05, 0.11, 0.3])
    images = (0.5 + offsets)[:, None, None, None].expand(6, 1, 8, 8).contiguous()
    batch = Batch(images, (offsets > 0).long(), BATCH.image_ids)
    radii = (0.02, 0.1, 0.25)
    answer = Survival(Brightness(), radii, PGD(10))(BASELINES["identity"], batch, NOISE)
    expected = [(offsets.abs() > radius).numpy() for radius in radii]
    np.testing.assert_array_equal(answer.survived.values[0, :, 0], expected)
    np.testing.assert_array_equal(answer.survived_fresh.values[0, :, 0, 0], expected)
    assert answer.classified.all()


def test_randomness_the_attacker_never_saw_hides_weakness() -> None:
    """Behind strong pinned noise the attacker who knows the noise wins more often than the one who does not."""
    batch = Digits()[:64].load()
    answer = Survival(CLASSIFIERS["digits"], (0.15,))(BASELINES["gaussian-noise"], batch, Noise(0, batch.image_ids))
    assert answer.survived.mean() < answer.survived_fresh.mean()


def test_anyone_s_classifier_stands_behind_a_purifier() -> None:
    linear = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10)).eval()
    answer = Survival(wrap(linear), (0.1,), PGD(2))(BASELINES["identity"], BATCH, NOISE)
    assert answer.survived.sizes["image"] == 6


def test_a_classifier_that_answers_nan_is_named() -> None:
    broken = wrap(lambda images: images.mean((2, 3)).expand(-1, 10) * float("nan"), name="broken")
    with pytest.raises(ValueError, match="NaN or infinity"):
        Survival(broken, (0.1,), PGD(1))(BASELINES["identity"], BATCH, NOISE)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Compression((-0.1,)), r"Compression\.radii must be a tuple of distinct lengths above zero"),
        (lambda: Compression((0.0,)), r"Compression\.radii"),
        (lambda: Compression((float("nan"),)), r"Compression\.radii"),
        (lambda: Compression(()), r"Compression\.radii"),
        (lambda: Compression((0.1, 0.1)), r"Compression\.radii"),
        (lambda: Compression(0.1), r"Compression\.radii"),
        (lambda: Compression((0.1,), probes=0), r"Compression\.probes must be a whole number of at least 1"),
        (lambda: Distances(draws=0), r"Distances\.draws must be"),
        (lambda: Survival(CLASSIFIERS["digits"], (-0.2,)), r"Survival\.radii"),
    ],
)
def test_wrong_settings_are_named(build, message) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_survival_without_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="needs labels, and so does its judge"):
        Survival(CLASSIFIERS["digits"], (0.1,))(BASELINES["identity"], replace(BATCH, labels=None), NOISE)


def test_anchors_are_purified_once_per_draw() -> None:
    calls = []

    def counted(images):
        calls.append(len(images))
        return images / 2

    Compression((0.1, 0.2, 0.3), probes=2)(wrap(counted, name="counted"), BATCH, NOISE)
    assert sum(calls) == 6 * (1 + 3 * 2)


def test_a_vanished_gradient_is_stored_as_such() -> None:
    survival = Survival(CLASSIFIERS["digits"], (0.1,), PGD(1))
    assert survival(BASELINES["bit-depth"], BATCH, NOISE).gradient_vanished.all()
    assert not survival(BASELINES["identity"], BATCH, NOISE).gradient_vanished.any()
