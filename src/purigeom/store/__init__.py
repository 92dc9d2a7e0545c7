"""Datasets on disk or in an object store: labelled zarr arrays, each unit of work whole or absent.

A store is a folder of segments. A segment answers one question about some purifiers, as a zarr group that
plain xarray opens: `docs/decisions/0001-store.md` says why, and `0009-stores-elsewhere.md` beside it how a store
leaves a laptop.
"""

from purigeom.store.findings import Finding
from purigeom.store.merging import merge
from purigeom.store.places import Place, place
from purigeom.store.reading import Progress, load, progress_of
from purigeom.store.seals import provenance
from purigeom.store.verification import repair, verify

__all__ = ["Finding", "Place", "Progress", "load", "merge", "place", "progress_of", "provenance", "repair", "verify"]
