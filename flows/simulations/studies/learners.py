"""Whom the protocol compares, and the names it gives to what is no learner of its own."""

from offline_rl.meta.named_learners import BASELINE, LEARNERS, PLAIN

__all__ = ["BASELINES", "LEARNERS", "MIXED", "POOLED", "RANDOM_EFFECTS", "SHIPPED"]

POOLED, RANDOM_EFFECTS, MIXED = BASELINE.name, "random_effects", "mixed_effects"

SHIPPED = "shipped"
"""In each study the learner that would ask first (`offline_rl.meta.choice`), or the pooled model."""

BASELINES = tuple(learner.name for learner in PLAIN)
"""What a meta-learner has to beat."""
