"""Choice: which of the learned policies asks to serve, decided on the validation segments alone.

The doubly robust value of a few dozen validation segments has a standard error of some ten points of all that
there is to gain, and the best of ten such numbers is mostly luck.  The likelihood of the same rounds' rewards
tells the same policies apart: it looks at every round, and weights none.  So reward models are ordered by it.
The value keeps a veto: a model may tell the rewards of what was logged better, and yet rank first what was
hardly ever shown.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from offline_rl.meta.convergence import sure_gain
from offline_rl.meta.effects_score import pooled_score
from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.judgement import (
    ValidationSegment,
    log_likelihoods,
    pooled_value,
    validation_segments,
)
from offline_rl.meta.learner import MetaPolicy
from offline_rl.meta.warm_start import WarmStart
from offline_rl.policies.policy import Policy
from offline_rl.policies.scored_policy import ScoredPolicy
from offline_rl.policies.softmax_policy import SoftmaxPolicy


def asking(policies: Sequence[MetaPolicy], start: WarmStart) -> list[str]:
    """Return the names of the policies that ask for promotion, the most wanted first.

    First those whose scores are a reward model and predict the validation rewards better than the pooled
    model by more than a standard error (paired by round, clustered), the surest gain first; then policies
    without a reward model whose doubly robust value there does so.  The pooled model is not among them,
    nor is anybody whose value there is lower than its own by more than a standard error.
    """
    pooled = pooled_value(start)
    policies = [policy for policy in policies if not _is_vetoed(policy, pooled)]
    gains = likelihood_gains(policies, start)
    by_likelihood = sorted((name for name in gains if gains[name] > 0), key=lambda name: (-gains[name], name))
    by_value = sorted(
        (policy for policy in policies if policy.name not in gains and policy.validation_gain > 0),
        key=lambda policy: (-policy.validation_gain, policy.name),
    )
    return [*by_likelihood, *(policy.name for policy in by_value)]


def _is_vetoed(policy: MetaPolicy, pooled: float) -> bool:
    gain = policy.validation_value - pooled
    error = gain - policy.validation_gain
    return gain < -error


def likelihood_gains(policies: Sequence[MetaPolicy], start: WarmStart) -> Mapping[str, float]:
    """Return name → mean gain in log-likelihood per validation round over the pooled model, less an error.

    Only of policies whose scores are a reward model: the logits of a policy gradient predict no reward.
    """
    parts = validation_segments(start)
    pooled = ScoredPolicy("pooled", pooled_score(start.model.parameters), start.temperature)
    baseline = log_likelihoods([pooled] * len(parts), start)
    gains = {}
    for policy in policies:
        told = _log_likelihood(policy, parts, start)
        if told is not None:
            gains[policy.name] = sure_gain(told - baseline, start.validation.cluster)
    return gains


def _log_likelihood(
    policy: MetaPolicy, parts: Sequence[ValidationSegment], start: WarmStart
) -> Tensor | None:
    if isinstance(policy, GradientMetaPolicy) and policy.objective.kind != "reward_likelihood":
        return None
    scored = [_scored(policy.adapt(part.support)) for part in parts]
    told = log_likelihoods([each for each in scored if each is not None], start) if all(scored) else None
    return told if told is not None and bool(torch.isfinite(told).all()) else None


def _scored(policy: Policy) -> ScoredPolicy | None:
    """The policy with its scores at hand; None where it has none."""
    if isinstance(policy, SoftmaxPolicy):
        return ScoredPolicy(policy.name, pooled_score(policy.parameters), policy.temperature)
    return policy if isinstance(policy, ScoredPolicy) else None
