"""What may be said of learners on segments that taught none of them."""

from collections.abc import Mapping, Sequence

from features.contracts.outputs import FEWEST_SEGMENTS
from reports.wording.catalog import Catalog

POOLED = "pooled_reward_model"


def same_choices(baseline: str, catalog: Catalog) -> str:
    """Return what is said of a learner that differs from a plain policy in nothing."""
    if baseline == POOLED:
        return catalog.text("unseen.same_as_pooled")
    return catalog.text("unseen.same_as_plain", baseline=baseline)


def comparison_conclusion(n_segments: int, claims: Mapping[str, Sequence[str]], catalog: Catalog) -> str:
    """Return what may be claimed of learners on new segments, and if nothing, why.

    claims: learner → the plain policies that it beats.
    """
    if n_segments < FEWEST_SEGMENTS:
        return catalog.text("unseen.too_few", n_segments=n_segments, least=FEWEST_SEGMENTS)
    if not claims:
        return catalog.text("unseen.none_pays", n_segments=n_segments)
    beaten = [
        catalog.text("unseen.beats", learner=learner, baselines=catalog.together(names))
        for learner, names in claims.items()
    ]
    return catalog.text("unseen.pays", n_segments=n_segments, claims=catalog.between_causes.join(beaten))


def support_conclusion(
    n_learners: int, n_gaining: int, catalog: Catalog, *, best: str, gain: str, enough: int | None
) -> str:
    """Return whether adapting pays by estimate, and how many rounds it takes.

    best: the learner that gains most, gain: how much; enough: the rounds that bring half of it, None for all.
    """
    if not n_gaining:
        return catalog.text("support.none_gains", n_learners=n_learners)
    found = {"best": best, "gain": gain}
    counts = {"n_learners": n_learners, "n_gaining": n_gaining}
    if enough is None:
        return catalog.text("support.gains_at_end", **counts, **found)
    return catalog.text("support.gains", n_rounds=enough, **counts, **found)
