"""Figures, one per file, each `draw(results) -> Figure`: stored facts in, nothing measured."""
