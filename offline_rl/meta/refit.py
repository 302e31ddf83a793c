"""Refit: before serving, the pooled model is fitted again on the rounds of all segments.

Learners are chosen with a pooled model that has seen no validation and no test segment, or validation would
be flattered. A policy that is evaluated may learn from everything before the holdout. In simulated shops that
is worth more than adapting where contexts identify segments, and little where they don't
(`offline_rl/meta/LEARNERS.md`).

Once the holdout has been used, nothing speaks against learning from it too: what serves tomorrow is fitted a
last time, to all rounds whose rewards are known. The newest are a quarter of a log, the only ones that know
tastes of today, and often those that the policy itself has served. What the gate elects is a way of learning
(`rolling_origin`), so its evidence holds for the last fit as for those before.
"""

from dataclasses import replace

from offline_rl.meta.fit_by_time import FittedPolicy
from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.mixed_effects import MixedMetaPolicy
from offline_rl.meta.shared_fits import Refits


def refitted(policy: MetaPolicy, refits: Refits) -> MetaPolicy:
    """Return the policy on the pooled model of the rounds of `refits`, as it is evaluated or serves.

    What is fitted in one go is fitted again, variances included. What was learned with a mixed model as
    offset gets the one of these rounds. For the others the two-tower model's penalty, the temperature, and
    how far segments are followed stay as validation chose them.
    refits: made of the fits that the policy was learned from.
    """
    if isinstance(policy, MixedMetaPolicy) and not policy.with_segments:
        return replace(policy, model=refits.model)  # others use it as their offset
    if isinstance(policy, FittedPolicy):
        return policy.fitted_again(refits.rounds, refits.fits.seed)
    if isinstance(policy, GradientMetaPolicy) and policy.offset is not None:
        return replace(policy, offset=refits.binary_model if policy.offset.is_binary else refits.model)
    return policy.with_pooled_model(refits.two_tower.parameters, refits.fits.warm_start.model.parameters)
