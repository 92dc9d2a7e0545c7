"""What is stored of the images that a purifier puts out."""

from purigeom.schema.variable import Variable

_STAGED = ("displacement", "radius", "stage", "draw", "image")
_PROBED = ("displacement", "radius", "draw", "probe", "image")
_DRAWN = ("displacement", "radius", "draw", "image")

PERTURBED_L1 = Variable(
    "perturbed_l1", _STAGED, "l1 distance from perturbed to clean image, before and after purification.", "image range"
)
PERTURBED_L2 = Variable(
    "perturbed_l2", _STAGED, "l2 distance from perturbed to clean image, before and after purification.", "image range"
)
PERTURBED_LINF = Variable(
    "perturbed_linf",
    _STAGED,
    "linf distance from perturbed to clean image, before and after purification.",
    "image range",
)
PERTURBED_PSNR = Variable(
    "perturbed_psnr",
    _STAGED,
    "Peak signal-to-noise ratio of perturbed to clean image, before and after purification.",
    "dB",
)
PERTURBED_SSIM = Variable(
    "perturbed_ssim", _STAGED, "Structural similarity of perturbed to clean image, before and after purification."
)
CORRELATION_SAME_CONFIGURATION = Variable(
    "correlation_same_configuration",
    _DRAWN,
    "Mean Pearson correlation over pixels between f(x) - x0 of two starting points x around x0, one configuration; NaN "
    "where a displacement is flat.",
)
CORRELATION_SAME_INPUT = Variable(
    "correlation_same_input",
    _DRAWN,
    "Mean of that correlation between two configurations, one starting point.",
)
CORRELATION_NEITHER = Variable(
    "correlation_neither",
    _DRAWN,
    "Mean of that correlation between two starting points, each under a configuration of its own.",
)
DISPLACEMENT_SNR = Variable(
    "displacement_snr",
    ("draw", "image"),
    "Length of the mean of f(x0) - x0 over configurations over the root-mean-square length of deviations from it; "
    "infinite without deviations, NaN where nothing moves.",
)
APPROACH = Variable(
    "approach",
    _PROBED,
    "Distance of the purified perturbed image to the anchor f(x0) over the perturbed image's own: below one, it moved "
    "towards it; NaN where it was there.",
)
ANCHOR_KEPT = Variable(
    "anchor_kept", _PROBED, "Whether the purified perturbed image is classified as the anchor f(x0) is, right or wrong."
)
CLOUD_VARIANCE = Variable(
    "cloud_variance",
    (*_DRAWN, "mode"),
    "Share of the variance of a purified ball along each of its principal directions, largest first; NaN where the "
    "ball becomes a point.",
)
CLOUD_RANK = Variable(
    "cloud_rank",
    _DRAWN,
    "How many directions share that variance: the squared sum of variances over the sum of their squares.",
)
CLEAN_FEATURE = Variable(
    "clean_feature", ("extractor", "image", "feature"), "Features that a named extractor finds in the clean image."
)
PURIFIED_FEATURE = Variable(
    "purified_feature",
    ("extractor", "draw", "image", "feature"),
    "Features that it finds in the purified clean image.",
)
