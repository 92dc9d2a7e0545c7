# %% [markdown]
# # Predict my purifier
#
# Attacking a purifier honestly is slow. Here its robust accuracy is predicted, with an interval, by forward passes
# through it alone, and then checked by attacks after all.

# %%
# %matplotlib inline
import torch
from torch.nn.functional import avg_pool2d

from purigeom import measure, wrap
from purigeom.catalog import CLASSIFIERS
from purigeom.foresight import calibration_named
from purigeom.images import Digits
from purigeom.judging import judged
from purigeom.predict import attack_questions, predict

# %% [markdown]
# A purifier is any function of images. An argument called `noise` is its randomness: standard normals, pinned.


# %%
def noisy_blur(images: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Add noise, then average neighbours."""
    return avg_pool2d(images + 0.1 * noise, 3, 1, 1, count_include_pad=False).clamp(0, 1)


mine = wrap(noisy_blur, name="noisy blur")

# %% [markdown]
# A calibration is a table of purifiers that were measured and attacked. This one is of digits, of the classifier that
# ships with the package, and of attacks at linf radius 0.1.

# %%
calibration = calibration_named("digits-linf-0.1")
calibration.survival.groupby("family").mean().to_series().round(2)

# %% [markdown]
# Predict. The best predictor is the one that missed whole families least when these were left out of its calibration.

# %%
images, classifier = Digits()[:32], CLASSIFIERS["digits"]
answer = predict(mine, images, classifier, calibration)
answer

# %% [markdown]
# What stands below the table is to be read first. A family of its own is always an extrapolation: the interval tells
# how families were missed that the calibration has seen.

# %%
answer.warnings

# %% [markdown]
# Predictions are a Dataset. Where predictors disagree, none of them knows.

# %%
answer.predictions.to_dataframe().round(2)

# %% [markdown]
# So is what they saw: facts about every image. A digit whose `margin_reach` is above one would be out of the attack's
# reach if purifier and classifier were linear over the ball.

# %%
counts, edges, bars = answer.table.margin_reach.plot.hist(bins=12)

# %% [markdown]
# Part of the interval's width comes from how few images there are. With `half_width`, images are added until the
# interval is narrow enough, or until there are no more, which a warning then says.

# %%
narrower = predict(mine, Digits()[:64], classifier, calibration, half_width=0.02)
int(narrower.table["count"].item()), narrower.interval

# %% [markdown]
# The proof: the attacks that calibrate, on the same images. A digit counts as robust if it withstands all of them.

# %%
radius = calibration.attrs["radius"]
facts = [measure(mine, images, [question]) for question in attack_questions(classifier, (radius,), mine)]
withstood = [judged(one)["pinned configuration"].squeeze() for one in facts]
measured = float(sum(withstood).isin(len(withstood)).mean())
low, high = answer.interval
print(f"predicted {answer.survival:.2f} ({low:.2f} to {high:.2f}), measured {measured:.2f}")
