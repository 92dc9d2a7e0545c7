"""Singular values of Jacobians, one file per method."""
