"""What is stored of class margins around anchors, from forward passes alone."""

from purigeom.schema.variable import Variable

ANCHOR_MARGIN = Variable(
    "anchor_margin",
    ("draw", "image"),
    "True logit less the largest other at the anchor, the purified clean image; negative where it is classified wrong.",
    "logits",
)
MARGIN_RATIO = Variable(
    "margin_ratio",
    ("radius", "draw", "image"),
    "Least, over wrong classes, of the margin at the anchor over the most that an linf ball of the radius can take off "
    "it, as its spread under random signs says; above one no class is reached if the defence is linear over the ball.",
)
MOVED_SHARE = Variable(
    "moved_share",
    ("radius", "draw", "image"),
    "Share of all pixels that the energy of random signs is spread over once purified; one where it moves all alike.",
)
MARGIN_BEND = Variable(
    "margin_bend",
    ("radius", "draw", "image"),
    "Root mean square of the even part of that margin's changes over that of their odd part; zero for linear defences.",
)
MARGIN_ACCELERATION = Variable(
    "margin_acceleration",
    ("radius", "draw", "image"),
    "How much faster that margin falls over the radius than over a quarter of it, towards the corner of the ball where "
    "those displacements say it falls most; one for linear defences.",
)
RANDOM_KEPT = Variable(
    "random_kept",
    ("radius", "draw", "image"),
    "Share of those random corners of the ball that are classified right.",
)
ROOM = Variable(
    "room",
    ("radius", "draw", "image"),
    "Share of the linf ball's reach that [0, 1] leaves, on average over pixels and their two directions.",
)
