"""The learners that the protocol compares, and names of rows that are not learners."""

from offline_rl.meta.named_learners import BASELINE, LEARNERS, PLAIN

__all__ = ["BASELINES", "LEARNERS", "MIXED", "POOLED", "RANDOM_EFFECTS", "SHIPPED"]

POOLED, RANDOM_EFFECTS, MIXED = BASELINE.name, "random_effects", "mixed_effects"

SHIPPED = "shipped"
"""The first contender of each study (`offline_rl.meta.choice`), or the pooled model where there is none."""

BASELINES = tuple(learner.name for learner in PLAIN)
"""The learners that a meta-learner has to beat."""
