"""Attacks, one file per method, each a frozen description that is called like a function."""
