"""English: the glossary, in the order of the alphabet."""

GLOSSARY: tuple[tuple[str, str], ...] = (
    (
        "Baseline",
        "What a candidate must beat: the policy that serves today, and plain models that could serve in its "
        "place. The strongest is the one with the highest estimate. Lists that show everybody the same are "
        "compared beside it.",
    ),
    ("Candidate and champion", "The policy that may be promoted, and the one that serves tomorrow."),
    (
        "Cautious policy (pooled_cautious)",
        "The pooled model followed less sharply: it earns less and is sooner proven. It must pass the gate "
        "before a sharper one may, and serves where it alone passes.",
    ),
    (
        "Certified gap",
        "Upper bound of the revenue share that the allocation loses against the best one on the same curves.",
    ),
    (
        "Doubly robust (dr)",
        "Reward model, corrected by weighted logged rewards; right if the model or the propensities are.",
    ),
    (
        "Effective sample size (ESS)",
        "How many equally weighted rounds would carry the same evidence; far fewer means few rounds decide.",
    ),
    (
        "Holdout",
        "The last rounds of each segment. Nothing was fitted on them; policies are judged there.",
    ),
    (
        "Interval",
        "Values that the logs are compatible with; “0.42 % (0.31 to 0.55)” is value, lower, upper end.",
    ),
    ("Marginal ROAS", "Revenue that the next unit of spend brings. Equal across cells in a best allocation."),
    ("Mean weight", "Average importance weight; about 1 when the logged propensities are right."),
    ("pp", "Percentage points: the difference of two percentages."),
    ("Propensity", "Probability that the policy shows this action in this slot."),
    (
        "Reward",
        "What one logged decision earned: a click, an order, or the money that it brought. Values are per "
        "round.",
    ),
    ("ROAS", "Return on ad spend: revenue per unit of spend."),
    (
        "Rolling origin",
        "A date at which a policy is learned anew from all rounds before it and judged on those after it. "
        "The gate judges from several, so that it decides by more rounds than the holdout's.",
    ),
    (
        "Round",
        "One logged decision: what was known, what was shown, with which probability, what came of it.",
    ),
    ("Segment", "A group of customers that learns and is judged on its own."),
    (
        "Self-normalized importance sampling (snips)",
        "Logged rewards, reweighted to the policy; needs no reward model and checks the doubly robust value.",
    ),
    ("Shadow price", "Revenue that one more unit of total budget would bring."),
    ("Supported share", "Share of the policy's probability on actions that the log could have shown."),
    ("Zero-shot", "The meta-trained policy before it adapts to a segment."),
)
