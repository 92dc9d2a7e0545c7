"""The curve of survival against compression: its fit, its uncertainty, what simpler curves and unseen purifiers say."""

from purigeom.fit.bootstrap import Bands, Resampling, bands
from purigeom.fit.choice import Choice, chosen
from purigeom.fit.intervals import curve, prediction_interval, standard_errors
from purigeom.fit.sigmoid import SigmoidFit, fit_sigmoid

__all__ = [
    "Bands",
    "Choice",
    "Resampling",
    "SigmoidFit",
    "bands",
    "chosen",
    "curve",
    "fit_sigmoid",
    "prediction_interval",
    "standard_errors",
]
