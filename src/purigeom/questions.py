"""What can be asked from the command line: measurements by name, with the settings of one command."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from purigeom import catalog
from purigeom.attacks.adversary import told
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
from purigeom.measurements.minimal_perturbation import LARGEST, MinimalPerturbation
from purigeom.measurements.perturbed_distances import PerturbedDistances
from purigeom.measurements.singular_vectors import SingularVectors
from purigeom.measurements.soundness import Soundness
from purigeom.measurements.spectrum import Spectrum
from purigeom.measurements.steadiness import Steadiness
from purigeom.measurements.survival import Survival
from purigeom.naming import adjusted, classifier_named, images_named, named
from purigeom.networks.steady import SteadyClassifier
from purigeom.protocols import ImageSet, Measurement


@dataclass(frozen=True)
class Asked:
    """The questions of one `measure` command, by their names."""

    measurements: tuple[str, ...]
    classifier: str
    attack: str
    displacement: str
    radii: tuple[float, ...]
    draws: int
    probes: int = 8
    tolerance: tuple[str, ...] = ()
    half_precision: bool = False
    judgements: int = 1
    rows_at_once: int = 0
    """Of networks, whatever the batch; as many as there are where it is 0."""


def known_measurements(asked: Asked, data: ImageSet) -> Mapping[str, Measurement]:
    """Return the measurements by name, with the settings that were asked for and the data to compare with."""
    return {**_of_purifiers(asked, data), **_of_defences(asked)}


def _of_purifiers(asked: Asked, data: ImageSet) -> Mapping[str, Measurement]:
    """Return what is asked of a purifier alone."""
    displacement = named(asked.displacement, catalog.DISPLACEMENTS, "displacement")
    within = partial(adjusted, "--tolerance", asked.tolerance)
    return {
        "compression": Compression(asked.radii, displacement, asked.probes, asked.draws),
        "distances": Distances(asked.draws),
        "perturbed-distances": PerturbedDistances(asked.radii, displacement, draws=asked.draws),
        "steadiness": Steadiness(asked.radii, displacement, draws=asked.draws),
        "cloud": Cloud(asked.radii, displacement, draws=asked.draws),
        "spectrum": Spectrum(asked.draws),
        "leading-spectrum": LeadingSpectrum(within(LeadingSpectrum.tolerance), asked.draws, asked.half_precision),
        "curvature": Curvature(asked.radii, displacement, asked.probes, asked.draws),
        "directions": Directions(data, tolerance=within(Directions.tolerance), draws=asked.draws),
        "singular-vectors": SingularVectors(within(SingularVectors.tolerance), asked.draws),
        "gallery": Gallery(asked.draws),
    }


def _of_defences(asked: Asked) -> Mapping[str, Measurement]:
    """Return what is asked of a purifier before a classifier, and of whoever attacks them."""
    displacement = named(asked.displacement, catalog.DISPLACEMENTS, "displacement")
    classifier = classifier_named(asked.classifier, catalog.CLASSIFIERS)
    if asked.rows_at_once:
        classifier = SteadyClassifier(classifier, asked.rows_at_once)
    attack = named(asked.attack, catalog.ATTACKS, "attack")
    largest = LARGEST[told(attack).attack.norm]
    return {
        "anchors": Anchors(classifier, asked.radii, displacement, asked.probes, draws=asked.draws),
        "features": Features(Logits(classifier, Path(asked.classifier).name), asked.draws),
        "margins": Margins(classifier, asked.radii, asked.probes, asked.draws),
        "caps": Caps(classifier, asked.radii, asked.probes, asked.draws),
        "survival": Survival(classifier, asked.radii, attack, asked.draws, asked.judgements),
        "attacked-distances": AttackedDistances(classifier, asked.radii, attack, asked.draws),
        "attacked-compression": AttackedCompression(classifier, asked.radii, attack, asked.draws),
        "minimal-perturbation": MinimalPerturbation(classifier, attack=attack, largest=largest, draws=asked.draws),
        "boundary-scan": BoundaryScan(classifier, asked.radii[0], attack=attack, draws=asked.draws),
        "boundary-slice": BoundarySlice(classifier, asked.radii[0], attack=attack, draws=asked.draws),
        "gradient-modes": GradientModes(classifier, draws=asked.draws),
        "gradient-geometry": GradientGeometry(classifier, draws=asked.draws),
        "soundness": Soundness(classifier, draws=asked.draws),
    }


def images_to_compare_with(images: str) -> ImageSet:
    """Return the training split of a catalogued image set, `NAME-train`, or the images themselves without one."""
    name = images.partition(":")[0]
    return catalog.IMAGES.get(f"{name}-train") or images_named(images, catalog.IMAGES)
