"""Datasets on disk: labelled zarr arrays, each unit of work whole or absent.

A store is a folder of segments. A segment answers one question about some purifiers, as a zarr group that
plain xarray opens: `docs/decisions/0001-store.md` says why.
"""

from purigeom.store.reading import Progress, load, progress_of, provenance
from purigeom.store.verification import Finding, verify

__all__ = ["Finding", "Progress", "load", "progress_of", "provenance", "verify"]
