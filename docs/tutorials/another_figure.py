# %% [markdown]
# # Another figure
#
# Figure 3a of arXiv 2505.22839 sets survival under attack over compression. The paper does not establish how images are
# displaced, and robustness depends on who judges. Here is the figure, small, and then with two other choices.

# %%
# %matplotlib inline
from pathlib import Path
from tempfile import mkdtemp

from purigeom import Task, measure, run, store
from purigeom.attacks.pgd import PGD
from purigeom.calibration import calibration_points
from purigeom.catalog import CLASSIFIERS, DIGITS_UNET
from purigeom.fit import chosen
from purigeom.geometry.displacement import Corners
from purigeom.images import Digits
from purigeom.judging import judged
from purigeom.means import estimate
from purigeom.measurements.compression import Compression
from purigeom.measurements.survival import Survival
from purigeom.plot.caption import caption
from purigeom.plot.sigmoid import ASKED, draw
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.identity import Identity

# %% [markdown]
# Purifiers of one sampler, shallow to deep, and no purifier, where the curve ends.

# %%
DEPTHS = (10, 50, 90, 130)
PURIFIERS = {"identity": Identity(), **{f"ddpm {depth}": DDPM(DIGITS_UNET, depth, steps=3) for depth in DEPTHS}}

# %% [markdown]
# Three questions. Every choice is a field: the displacement, its radius, the attack, how many configurations judge.

# %%
RADIUS = 0.2
ATTACK = PGD(steps=10, relative_step=1.0)
IMAGES = Digits()[:24]
QUESTIONS = (
    Compression((RADIUS,)),
    Compression((RADIUS,), Corners()),
    Survival(CLASSIFIERS["digits"], (RADIUS,), ATTACK, judgements=4),
)
tasks = [Task(name, purifier, question, IMAGES) for name, purifier in PURIFIERS.items() for question in QUESTIONS]
results = store.load(run(tasks, Path(mkdtemp()) / "store", quiet=True)).load()

# %% [markdown]
# A survival is a fact only where the attack had steps enough. Twice as many should leave as many images.

# %%
longer = Survival(CLASSIFIERS["digits"], (RADIUS,), PGD(steps=20, relative_step=1.0))
twice = float(measure(PURIFIERS["ddpm 130"], IMAGES, [longer]).survived.mean())
once = float(results.survived.sel(purifier="ddpm 130").mean())
once, twice

# %% [markdown]
# The figure as it is published: displacements uniform in the ball, and the attacked configuration judges.

# %%
draw(results)

# %% [markdown]
# Few points of few digits: the band says so. The caption tells the recipe.

# %%
print(caption(results, ASKED))

# %% [markdown]
# The first choice: displacements to the corners of the ball. Choosing is selecting. Points move sideways only, since
# nobody is attacked anew.

# %%
corners = results.sel(displacement=["linf corners"])
draw(corners)

# %% [markdown]
# How far sideways: the compression that either displacement sees.

# %%
estimate(results.compression_ratio)["mean"].squeeze("radius", drop=True).to_series().unstack("displacement").round(3)

# %% [markdown]
# The second choice: configurations judge that the attacker never saw. They are stored beside the first judgement, so
# that no attack runs again. Now points move upwards.

# %%
verdicts = judged(results)
fresh = results.assign(survived=verdicts["mean of 4 fresh"])
figure = draw(fresh)
figure.axes[0].set_ylabel("survival, fresh randomness")
figure

# %% [markdown]
# Read this as a warning and not as robustness: the attacker needs only to be told the configuration.

# %%
verdicts.mean("image").squeeze(drop=True).to_dataframe()[list(verdicts)].round(2)

# %% [markdown]
# A curve is drawn wherever one can be fitted. Whether the points support it is another question, and has an answer.

# %%
points = calibration_points(results.sel(displacement=["uniform linf ball"]))
supported = chosen(*(points[name].values for name in ("compression", "survival", "count")))
supported.sentence
