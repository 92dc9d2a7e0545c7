"""The sigmoid of survival against compression: its fit, its uncertainty, and what simpler curves would do."""

from purigeom.fit.intervals import curve, prediction_interval, standard_errors
from purigeom.fit.sigmoid import SigmoidFit, fit_sigmoid

__all__ = ["SigmoidFit", "curve", "fit_sigmoid", "prediction_interval", "standard_errors"]
