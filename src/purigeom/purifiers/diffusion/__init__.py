"""Purifiers that noise an image and denoise it again with a diffusion model, one file per sampler family.

All samplers read `depth` as an integer time index of the network's schedule: depth t noises to level t - 1,
the first level being 0, and denoises from there. Inside, images live in [-1, 1], as the networks expect.
"""
