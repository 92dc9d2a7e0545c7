"""What a study measures purifiers on, and how closely."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from purigeom.attacks.pgd import PGD
from purigeom.catalog import CLASSIFIERS, IMAGES
from purigeom.geometry.spectrum.adaptive import Tolerance
from purigeom.measurements.leading_spectrum import LeadingSpectrum
from purigeom.measurements.spectrum import Spectrum
from purigeom.naming import classifier_named, images_named
from purigeom.protocols import Classifier, ImageSet, Measurement

Asked: TypeAlias = Sequence[tuple[Measurement, int]]
"""Measurements, each with the number of images it is asked about."""
ATTACK = PGD(steps=10, relative_step=1.0)
WHOLE_SPECTRUM = 1024
"""Numbers of an image up to which its whole Jacobian is computed."""


@dataclass(frozen=True)
class Subject:
    """What purifiers are measured on, by the words of a command line.

    Parameters
    ----------
    images
        Catalogued image set or file, `NAME[:COUNT]`; the first 64 images are used, fewer where a question costs more.
    classifier
        Catalogue name, path.py:OBJECT, or a file of weights.
    radius
        Of displacements and attacks, linf.
    share, share_of_others
        Of the images that the central questions, and all others, are asked about where they are digits.
    tolerance
        How well spectra are to be known that products tell of.
    attack
        What is known of the configuration and climbed; another of twice the steps tells whether they are enough.
    """

    images: str = "digits"
    classifier: str = "digits"
    radius: float = 0.2
    share: float = 1.0
    share_of_others: float = 1.0
    tolerance: Tolerance = Tolerance()
    attack: PGD = ATTACK

    def load(self) -> tuple[ImageSet, Classifier]:
        """Return the image set and the classifier."""
        return images_named(self.images, IMAGES), classifier_named(self.classifier, CLASSIFIERS)

    def spectrum(self) -> Measurement:
        """Return how singular values are found: all of them of small images, what products tell of larger ones."""
        small = self.load()[0][:1].load().images[0].numel() <= WHOLE_SPECTRUM
        return Spectrum() if small else LeadingSpectrum(self.tolerance)


def fewer(asked: Asked, share: float) -> Asked:
    """Return questions about a share of their images, about two at least."""
    return [(question, max(2, round(share * count))) for question, count in asked]
