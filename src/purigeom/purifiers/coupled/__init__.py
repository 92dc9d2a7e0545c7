"""Purifiers that ask a classifier, or a network trained beside it, about the image they purify."""
