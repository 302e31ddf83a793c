"""Refit: before serving, the pooled model is fitted again on the rounds of all segments.

Learners are chosen with a pooled model that has seen no validation and no test segment, or validation would
be flattered. A policy that serves may learn from everything before the holdout. In simulated shops that
is worth more than adapting where contexts identify segments, and little where they don't
(`offline_rl/meta/LEARNERS.md`).
"""

from dataclasses import replace

from offline_rl.meta.fit_by_time import FittedPolicy
from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.mixed_effects import MixedMetaPolicy
from offline_rl.meta.shared_fits import SharedFits


def refitted(policy: MetaPolicy, fits: SharedFits) -> MetaPolicy:
    """Return the policy on the pooled model fitted to all rounds before the holdout, as it is to serve.

    What is fitted in one go is fitted again, variances included. What was learned with a mixed model as
    offset gets the one of all rounds. For the others the two-tower model's penalty, the temperature, and how
    far segments are followed stay as validation chose them.
    fits: those that the policy was learned from.
    """
    if isinstance(policy, MixedMetaPolicy) and not policy.with_segments:
        return replace(policy, model=fits.refitted_model)  # others use it as their offset
    if isinstance(policy, FittedPolicy):
        return policy.fitted_again(fits.all_rounds, fits.seed)
    if isinstance(policy, GradientMetaPolicy) and policy.offset is not None:
        offset = fits.refitted_binary_model if policy.offset.is_binary else fits.refitted_model
        return replace(policy, offset=offset)
    return policy.with_pooled_model(fits.refitted_two_tower.parameters, fits.warm_start.model.parameters)
