"""What is stored of decision boundaries: how near they are, and where attacks cross them."""

from purigeom.schema.variable import Variable

MINIMAL_RADIUS = Variable(
    "minimal_radius",
    ("place", "draw", "image"),
    "Least distance, in the attack's norm, at which bisection over its radius found a wrong answer of the bare "
    "classifier (of the pinned defence, at the place 'defence'); zero where the place itself is wrong, infinite where "
    "the largest radius finds none, NaN where a gradient broke instead. An upper bound.",
    "image range",
)
CLASSIFIER_CALLS = Variable(
    "classifier_calls",
    ("place", "draw", "image"),
    "How often the classifier was evaluated to find that distance; a forward pass counts one, a backward pass another.",
    "evaluations",
)
MISCLASSIFIED_SHARE = Variable(
    "misclassified_share",
    ("place", "radius", "draw", "image"),
    "Share of uniformly random directions on the l2 sphere of the radius whose end the bare classifier gets wrong.",
)
SCANNED_MARGIN = Variable(
    "scanned_margin",
    ("direction", "distance", "draw", "image"),
    "True logit less the largest other, of the pinned defence, at an l2 distance from the clean image; NaN along an "
    "attack whose gradient broke.",
    "logits",
)
FIRST_CROSSING = Variable(
    "first_crossing",
    ("direction", "draw", "image"),
    "Least l2 distance at which that margin turns negative, interpolated linearly; the first distance scanned where it "
    "is negative there, NaN where it never is.",
    "image range",
)
SECOND_CROSSING = Variable(
    "second_crossing",
    ("direction", "draw", "image"),
    "l2 distance at which the margin then turns positive again, interpolated linearly; NaN where it never does.",
    "image range",
)
SLICE_CLASS = Variable(
    "slice_class",
    ("draw", "image", "along", "across"),
    "Class that the pinned defence answers on a plane through the clean image.",
)
SLICE_MARGIN = Variable(
    "slice_margin",
    ("draw", "image", "along", "across"),
    "True logit less the largest other, of the pinned defence, on that plane; NaN where the attack's gradient broke.",
    "logits",
)
ATTACKED_COMPRESSION = Variable(
    "attacked_compression",
    ("attack", "radius", "draw", "image"),
    "l2 length of the attack's displacement after purification over its length before; NaN where the attack moved "
    "nothing or its gradient broke.",
)
ATTACK_FAILED = Variable(
    "attack_failed",
    ("attack", "radius", "draw", "image"),
    "Whether that attacked image is classified right in the same configuration: PGD (robust), else PGD (non-robust).",
)
CRITICAL_COMPRESSION = Variable(
    "critical_compression",
    ("attack", "radius", "draw", "image"),
    "Our reconstruction of the critical threshold of arXiv 2505.22839, Fig. 6: least l2 distance found from the anchor "
    "to a wrong answer of the bare classifier, over the l2 length of the attack's displacement; below it the purified "
    "displacement is too short to reach that boundary.",
)
