"""Predictors of robust accuracy from forward passes: what they see, how they learn, how far they may be trusted."""
