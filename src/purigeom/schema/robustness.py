"""What is stored of a defence under attack, and of the gradients that attacks follow."""

from purigeom.schema.variable import Variable

CLASSIFIED = Variable("classified", ("draw", "image"), "Whether the purified clean image is classified right.")
SURVIVED = Variable(
    "survived",
    ("attack", "radius", "draw", "image"),
    "Whether the attacked image is classified right in the configuration itself, which a fixed attacker knows.",
)
SURVIVED_FRESH = Variable(
    "survived_fresh",
    ("attack", "radius", "judgement", "draw", "image"),
    "Whether the attacked image is classified right under randomness no attacker ever saw, judgement by judgement.",
)
SURVIVED_VOTE = Variable(
    "survived_vote",
    ("attack", "radius", "draw", "image"),
    "Whether the mean logits of all those judgements classify the attacked image right.",
)
PURIFICATIONS = Variable(
    "purifications",
    ("attack", "radius", "draw", "image"),
    "How often the attack had the image purified.",
    "purifications",
)
NETWORK_EVALUATIONS = Variable(
    "network_evaluations",
    ("attack", "radius", "draw", "image"),
    "How often the attack had a network inside the purifier evaluated, recomputations for gradients included.",
    "evaluations",
)
GRADIENT_CALLS = Variable(
    "gradient_calls",
    ("attack", "radius", "draw", "image"),
    "How many gradients the attack took at the image; one, however many draws it averages.",
    "gradients",
)
GRADIENT_BROKEN = Variable(
    "gradient_broken",
    ("attack", "radius", "draw", "image"),
    "Whether a gradient of the attack, or an answer to what it found, was NaN or infinite: its survival says nothing.",
)
GRADIENT_VANISHED = Variable(
    "gradient_vanished",
    ("attack", "draw", "image"),
    "Whether the attacker's gradient at the clean image is zero, so that survival says little.",
)
GRADIENT_COSINE = Variable(
    "gradient_cosine",
    ("gradient", "draw", "image"),
    "Cosine between another way's gradient and the exact one, at the clean image.",
)
GRADIENT_ERROR = Variable(
    "gradient_error",
    ("gradient", "draw", "image"),
    "Length of the difference between another way's gradient and the exact one, over the exact one's length.",
)
GRADIENT_NORM = Variable(
    "gradient_norm",
    ("draw", "image"),
    "Length of the loss's exact gradient at the clean image; zero where it has vanished, NaN where it broke.",
    "1 / image range",
)
GRADIENT_STRETCH = Variable(
    "gradient_stretch",
    ("draw", "image"),
    "Length of that gradient over its length behind the purifier: what the pull through the purifier makes of it.",
)
EOT_COSINE = Variable(
    "eot_cosine",
    ("count", "draw", "image"),
    "Cosine between the mean gradient of so many other configurations and this one's; of one, between two of them.",
)
EOT_PEARSON = Variable(
    "eot_pearson",
    ("count", "draw", "image"),
    "Pearson correlation over pixels between those two gradients.",
)
HIDDEN_RANDOMNESS = Variable(
    "hidden_randomness",
    ("draw", "image"),
    "Whether the pinned defence answered the same image in two ways, or drew from a global generator.",
)
OPTIMISED_INSIDE = Variable(
    "optimised_inside",
    ("draw", "image"),
    "Whether the defence turned gradients on while they were off: it optimises at test time.",
)
GRADIENT_FOLLOWED = Variable(
    "gradient_followed",
    ("draw", "image"),
    "Slope of the margin along its gradient, near the clean image, over the gradient's length; one where they agree.",
)
GRADIENT_REACHED = Variable(
    "gradient_reached",
    ("draw", "image"),
    "How far the margin changes over the radius along its gradient, over what that says; near zero where shattered.",
)
GRADIENT_MISSED = Variable(
    "gradient_missed",
    ("draw", "image"),
    "Root mean square of how small random displacements change the margin other than its gradient says, over how they "
    "change it; one where the gradient has nothing of it.",
)
GRADIENT_MASKED = Variable(
    "gradient_masked",
    ("draw", "image"),
    "Whether random displacements of the radius change the margin though its gradient is zero or missing.",
)
