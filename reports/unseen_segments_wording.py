"""Every sentence on segments that taught no learner, with its caution. Numbers arrive as text."""

from collections.abc import Mapping, Sequence

from features.contracts.outputs import FEWEST_SEGMENTS
from reports.summaries.printed_table import Mark

CLAIMS: Mapping[bool, tuple[Mark, str]] = {
    True: (Mark("✓", "good"), "better"),
    False: (Mark("○", "quiet"), "not claimed"),
}

SAME = Mark("=", "quiet")

HINT = (
    "A salted hash kept these segments from every learner. It adapts to their rounds before the holdout, and "
    "the pooled model under it was fitted again with them, as with everybody's; the holdout judges. The "
    "segment is the unit, and segments count alike. “Better” needs an "
    "interval above zero, a p-value below 0.05 after adjusting it for every plain policy (Holm), and at "
    f"least {FEWEST_SEGMENTS} segments."
)
NO_SEGMENT = (
    "Nothing can be said about new segments: too few were found to keep one from the learners, or those that "
    "were kept have no rounds in the holdout."
)
NO_LEARNER = "No learner stood beside the plain baseline, so there is nothing to compare."
NO_CURVE = "No learner adapts to a segment tonight, so rounds of support make no difference."
ESTIMATED, TRUE = "estimated", "true"


def same_choices(baseline: str) -> str:
    """Return what is said of a learner that differs from a plain policy in nothing.

    >>> same_choices("pooled_reward_model")
    'learned nothing beyond the pooled model'
    """
    is_pooled = baseline == "pooled_reward_model"
    return "learned nothing beyond the pooled model" if is_pooled else f"chooses as {baseline} does"


def comparison_conclusion(n_segments: int, claims: Mapping[str, Sequence[str]]) -> str:
    """Return what may be claimed of learners on new segments, and if nothing, why.

    >>> comparison_conclusion(24, {"maml": ["pooled"]})
    'Learning pays on 24 new segments: maml beats pooled.'
    """
    if n_segments < FEWEST_SEGMENTS:
        segments = "1 segment says" if n_segments == 1 else f"{n_segments} segments say"
        return (
            f"Nothing can be claimed of learners on new segments yet: {segments} too little, "
            f"{FEWEST_SEGMENTS} are needed."
        )
    if not claims:
        return (
            f"On {n_segments} new segments no learner is shown to beat a plain policy: what differences "
            "there are may be chance."
        )
    beaten = "; ".join(f"{learner} beats {_and(names)}" for learner, names in claims.items())
    return f"Learning pays on {n_segments} new segments: {beaten}."


def support_conclusion(n_curves: int, n_gaining: int, best: str, gain: str, enough: str) -> str:
    """Return whether adapting pays by estimate, and how many rounds it takes.

    best: the learner that gains most, gain: how much; enough: the rounds that bring half of it.

    >>> support_conclusion(2, 0, "", "", "")
    'By estimate, adapting pays for none of 2 learners: all rounds of support bring no more than none.'
    """
    learners = "1 learner" if n_curves == 1 else f"{n_curves} learners"
    if not n_gaining:
        return (
            f"By estimate, adapting pays for none of {learners}: all rounds of support bring no more than "
            "none."
        )
    half = "only all rounds bring" if enough == "all" else f"{enough} rounds bring"
    return (
        f"By estimate, adapting pays for {n_gaining} of {learners}: {best} gains most, {gain} per round, and "
        f"{half} at least half of it. These are single numbers without an interval."
    )


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
