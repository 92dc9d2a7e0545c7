"""Whole studies in real processes, and what may happen to them."""
