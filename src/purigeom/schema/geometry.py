"""What is stored of the purifier as a map."""

from purigeom.schema.variable import Variable

COMPRESSION_RATIO = Variable(
    "compression_ratio",
    ("displacement", "radius", "draw", "probe", "image"),
    "Length of a displacement after purification over its length before.",
)
L1 = Variable("l1_distance", ("draw", "image"), "l1 distance from purified to clean image.", "image range")
L2 = Variable("l2_distance", ("draw", "image"), "l2 distance from purified to clean image.", "image range")
LINF = Variable("linf_distance", ("draw", "image"), "linf distance from purified to clean image.", "image range")
PSNR = Variable("psnr", ("draw", "image"), "Peak signal-to-noise ratio of purified to clean image.", "dB")
SSIM = Variable("ssim", ("draw", "image"), "Structural similarity of purified to clean image.")
SINGULAR_VALUE = Variable(
    "singular_value",
    ("draw", "image", "mode"),
    "Singular values of the purifier's Jacobian at the clean image, largest first.",
)
DIFFERENCE_ERROR = Variable(
    "difference_error",
    ("draw", "image"),
    "How far singular values found by finite differences may be off; zero where derivatives are exact.",
)
LEADING_SINGULAR_VALUE = Variable(
    "leading_singular_value",
    ("draw", "image", "mode"),
    "Largest singular values of the purifier's Jacobian, from products alone; lower bounds, to rounding.",
)
LEADING_ERROR = Variable(
    "leading_error",
    ("draw", "image", "mode"),
    "How far each leading singular value may be off, relative to it; half precision included.",
)
SHARE_BELOW = Variable(
    "share_below", ("threshold", "draw", "image"), "Share of singular values below a threshold, from products alone."
)
SHARE_ERROR = Variable("share_error", ("threshold", "draw", "image"), "How far that share may be off.")
SHARE_LEAST = Variable("share_least", ("threshold", "draw", "image"), "Least that share can be; as sure as the norm.")
SHARE_MOST = Variable("share_most", ("threshold", "draw", "image"), "Most that share can be, rigorously.")
ROOT_MEAN_SQUARE = Variable(
    "root_mean_square",
    ("draw", "image"),
    "Root of the mean squared singular value: the compression of a small random displacement.",
)
ROOT_MEAN_SQUARE_ERROR = Variable(
    "root_mean_square_error", ("draw", "image"), "Half the width of its 95 % interval, relative to it."
)
PRODUCTS = Variable("products", ("draw", "image"), "Vectors pushed or pulled for an image's spectrum.", "products")
TOLERANCE_MET = Variable("tolerance_met", ("draw", "image"), "Whether every error is within the tolerance asked for.")
NETWORK_DEVIATION = Variable(
    "network_deviation",
    ("draw", "image"),
    "How far products with the network in half precision are from full ones, relative; zero in full precision.",
)
LINEAR_RATIO = Variable(
    "linear_ratio",
    ("displacement", "radius", "draw", "probe", "image"),
    "Length of a displacement's product with the Jacobian over its length: compression without curvature.",
)
CURVATURE = Variable(
    "curvature",
    ("displacement", "radius", "draw", "probe", "image"),
    "How far a purified displacement is from the Jacobian's product with it, over the displacement's length.",
)
PARTICIPATION_RATIO = Variable(
    "participation_ratio", ("draw", "image"), "How many directions share the Jacobian's squared norm."
)
PARTICIPATION_ERROR = Variable(
    "participation_error", ("draw", "image"), "How far that number may be off, relative to it."
)
LEFT_RIGHT_ALIGNMENT = Variable(
    "left_right_alignment",
    ("draw", "image"),
    "Mean squared cosine between the leading left and the leading right singular space; one where they are the same, "
    "NaN where one of their singular values is zero.",
)
EIGENVALUE_MAGNITUDE = Variable(
    "eigenvalue_magnitude", ("draw", "image", "mode"), "Magnitudes of the Jacobian's leading eigenvalues."
)
EIGENVALUE_RESIDUAL = Variable(
    "eigenvalue_residual", ("draw", "image", "mode"), "Length of J v - lambda v for the unit eigenvectors found."
)
ON_MANIFOLD = Variable(
    "on_manifold_compression", ("draw", "image"), "Root-mean-square stretch of directions along the data."
)
OFF_MANIFOLD = Variable(
    "off_manifold_compression", ("draw", "image"), "Root-mean-square stretch of directions across the data."
)
PAIR_SINGULAR_VALUE = Variable(
    "pair_singular_value", ("draw", "image", "pair"), "Singular value of each pair of singular vectors that is kept."
)
LEFT_SINGULAR_VECTOR = Variable(
    "left_singular_vector",
    ("draw", "image", "pair", "channel", "row", "column"),
    "Leading left singular vectors of the Jacobian, as images of length one: what comes out strongest; NaN where the "
    "singular value is zero.",
)
RIGHT_SINGULAR_VECTOR = Variable(
    "right_singular_vector",
    ("draw", "image", "pair", "channel", "row", "column"),
    "Leading right singular vectors of the Jacobian, as images of length one: what passes most easily; NaN where the "
    "singular value is zero.",
)
PURIFIED_IMAGE = Variable(
    "purified_image",
    ("draw", "image", "channel", "row", "column"),
    "The purified clean image.",
    "image range",
)
