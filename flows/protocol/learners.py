"""Whom the protocol compares, and the names it gives to what is no learner of its own."""

from offline_rl.meta.named_learners import BASELINE, LEARNERS, PLAIN

__all__ = ["BASELINES", "HYBRID", "LEARNERS", "POOLED", "POOLED_WITH_SUPPORT", "RANDOM_EFFECTS", "SHIPPED"]

POOLED, RANDOM_EFFECTS, HYBRID = BASELINE.name, "random_effects", "bayesian_last_layer"

POOLED_WITH_SUPPORT = "pooled_with_test_support"
"""The pooled reward model, fitted on the test segments' support too: what adapting learners see, it sees."""

SHIPPED = "shipped"
"""In each study the learner that would ask first (`offline_rl.meta.choice`), or the pooled model."""

BASELINES = (*(learner.name for learner in PLAIN), POOLED_WITH_SUPPORT)
"""What a meta-learner has to beat."""
