"""Purifiers that ask a diffusion model what a clean image is, one file per family.

Those that noise an image and denoise it again read `depth` as an integer time index of the network's schedule: depth t
noises to level t - 1, the first level being 0, and denoises from there; those that optimise know deviations instead.
Inside, images live in [-1, 1], as the networks expect.
"""
