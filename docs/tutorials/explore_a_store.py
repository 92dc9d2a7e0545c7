# %% [markdown]
# # Explore a store
#
# A study leaves a store: every single fact it measured, labelled. We fill a small one and look into it with xarray.

# %%
# %matplotlib inline
from pathlib import Path
from tempfile import mkdtemp

from purigeom import Task, run, store
from purigeom.catalog import DIGITS_UNET
from purigeom.images import Digits
from purigeom.means import estimate, estimates
from purigeom.measurements.compression import Compression
from purigeom.measurements.spectrum import Spectrum
from purigeom.plot import spectrum
from purigeom.plot.caption import caption
from purigeom.purifiers.diffusion.ddpm import DDPM
from purigeom.purifiers.identity import Identity

# %% [markdown]
# A task is a name, a purifier, a question and images. No purifier at all is one of the purifiers: it shows what the
# questions answer where nothing happens.

# %%
PURIFIERS = {"identity": Identity(), **{f"ddpm {depth}": DDPM(DIGITS_UNET, depth, steps=2) for depth in (20, 80, 160)}}
QUESTIONS = (Compression(radii=(0.05, 0.2), probes=4), Spectrum())
tasks = [Task(name, purifier, question, Digits()[:8]) for name, purifier in PURIFIERS.items() for question in QUESTIONS]
root = run(tasks, Path(mkdtemp()) / "store", quiet=True)

# %% [markdown]
# `load` returns one Dataset of all answers. Its dimensions are settings, such as `radius`, and samples, such as
# `image`. Purifiers bring along what one may group them by: family, network, depth.

# %%
results = store.load(root)
results

# %% [markdown]
# One fact: how much longer or shorter a displacement of one image is after purification. An `image` is known by its
# place in the data set, not in the slice.

# %%
results.compression_ratio.sel(purifier="ddpm 80", radius=0.2).isel(probe=0, image=0).squeeze()

# %% [markdown]
# Averages come last. `estimate` averages over samples, image by image first, and says how sure the mean is.

# %%
compression = estimate(results.compression_ratio).squeeze("displacement", drop=True)
compression["mean"].to_series().unstack("radius").round(3)

# %% [markdown]
# `estimates` does so for everything at once. Settings stay, here which singular value of the Jacobian it is.

# %%
means = estimates(results)
means.singular_value.sel(mode=0).to_series().round(2)

# %% [markdown]
# Xarray draws what it holds. Every purifier but the identity compresses, at either radius, and more from deeper.

# %%
lines = compression["mean"].plot.line(x="radius", hue="purifier", marker="o")

# %% [markdown]
# The figures of the package take the Dataset and return a matplotlib figure, to be changed or saved like any other.

# %%
figure = spectrum.draw(results)
figure.axes[0].set_title("8 digits, DDPM in 2 steps")
figure

# %% [markdown]
# Facts are worth what their recipe is worth. It travels with them, and makes the caption.

# %%
print(caption(results, spectrum.ASKED))

# %% [markdown]
# What made every answer is kept too: versions, device, seconds.

# %%
made = store.provenance(root)
sorted(made[0])

# %% [markdown]
# What is answered is not asked again: the same tasks cost no measurement, and one purifier more costs its own.

# %%
tasks += [Task("ddpm 40", DDPM(DIGITS_UNET, 40, steps=2), question, Digits()[:8]) for question in QUESTIONS]
run(tasks, root, quiet=True)
len(store.provenance(root)) - len(made)
