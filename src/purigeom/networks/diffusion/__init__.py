"""Published diffusion networks as noise predictors: one network written here, and the layouts their files have.

The DDPM++ networks of Song et al. (2021), which Karras et al. (2022) train anew as EDM, and those of Dhariwal and
Nichol (2021) are one U-net in two styles: `architecture` says which blocks it has, `network` computes it. A layout says
under which names and in which shapes a file keeps the tensors.
"""
