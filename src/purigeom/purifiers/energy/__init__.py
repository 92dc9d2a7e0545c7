"""Purifiers that move images to where a network calls them likely: down an energy, or along a score."""
