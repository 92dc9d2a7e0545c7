"""Trainers for the networks that purigeom ships."""
