"""Purifiers, one file per family, each a frozen description with `pin`."""
