"""Choice of contenders: which learned policies the gate compares, decided on the validation segments alone.

The doubly robust value of a few dozen validation segments has a standard error of about a tenth of the
largest possible gain, and the best of ten such numbers is mostly luck. The likelihood of the same rounds'
rewards is less noisy: it uses every round, without weights. So reward models are ordered by it. The value
keeps a veto: a model may predict the rewards of logged items better, and yet rank first an item that was
hardly ever shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl.meta.convergence import sure_gain
from offline_rl.meta.fit_by_time import FittedPolicy
from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.policy_validation import (
    ValidationTask,
    log_likelihoods,
    validate,
    validation_tasks,
)
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.meta.time_split import LEAD
from offline_rl.meta.warm_start import WarmStart
from offline_rl.policies.policy import Policy
from offline_rl.policies.scored_policy import ScoredPolicy
from offline_rl.policies.softmax_policy import SoftmaxPolicy

DEMANDED = 2.0
"""Standard errors by which the likelihood, or the value, of a contender must be higher. A small gain on
logged items may be a loss where a policy ranks first an item that was hardly shown."""

VETO = 2.0
"""Standard errors by which a value must be lower to veto a contender: the value's error is a tenth of the
largest possible gain, and with one error every sixth good policy would be refused."""


POPULARITY = "popularity"
"""Name of the learner that is one best-seller list for everybody."""

FLOOR = 3.0
"""Standard errors by which the best-seller list must predict later rewards better to replace the pooled model
as the baseline. It is larger than LEAD: in 23 development shops the list led by over 2 once, and was worth
half of the pooled model there."""


@dataclass(frozen=True)
class ContenderChoice:
    """learners: names of the contenders, the most wanted first.

    plain: the baseline that they must beat, itself the last contender: the pooled model, or the best-seller
    list where it is surely better.
    """

    learners: tuple[str, ...]
    plain: str


def choose_contenders(
    policies: Sequence[MetaPolicy], pooled: MetaPolicy, fits: SharedFits
) -> ContenderChoice:
    """Choose the contenders among the learned policies other than the pooled model.

    First those that are fitted in one go and lead the pooled model on later rounds (`time_split`), the
    clearest lead first. Then those that take steps and are better on the validation segments, where alone
    they can be evaluated (`contenders_by_validation`).
    A policy is not a contender if its value is lower than the pooled model's by more than VETO errors, or its
    lead smaller than that of the plain baseline.
    fits: those that all were learned from; their mixed start is fitted only if a policy takes steps.
    """
    fitted = [policy for policy in policies if isinstance(policy, FittedPolicy)]
    others = [policy for policy in policies if not isinstance(policy, FittedPolicy)]
    listed = [policy for policy in fitted if policy.name == POPULARITY and policy.lead > FLOOR]
    demanded = max([LEAD, *(policy.lead for policy in listed)])
    leading = sorted(
        (
            policy
            for policy in fitted
            if policy.name != POPULARITY
            and policy.lead > demanded
            and _value_gain(policy, pooled.validation_value, -VETO) >= 0
        ),
        key=lambda policy: (-policy.lead, policy.name),
    )
    later = contenders_by_validation(others, pooled, fits.mixed_start) if others else []
    return ContenderChoice(
        learners=(*(policy.name for policy in leading), *later),
        plain=POPULARITY if listed else pooled.name,
    )


def contenders_by_validation(
    policies: Sequence[MetaPolicy], pooled: MetaPolicy, start: WarmStart
) -> list[str]:
    """Return the names of the policies that do better than the pooled model on the validation segments.

    First those whose scores are a reward model and predict the validation rewards better than the pooled
    model by more than DEMANDED standard errors (paired by round, clustered by user or segment), the surest
    gain first; then policies without a reward model whose doubly robust value there does so.
    """
    value = validate(pooled, start).value
    policies = [policy for policy in policies if _value_gain(policy, value, -VETO) >= 0]
    gains = likelihood_gains(policies, pooled, start)
    by_likelihood = sorted((name for name in gains if gains[name] > 0), key=lambda name: (-gains[name], name))
    by_value = sorted(
        (policy for policy in policies if policy.name not in gains and _value_gain(policy, value) > 0),
        key=lambda policy: (-policy.validation_gain, policy.name),
    )
    return [*by_likelihood, *(policy.name for policy in by_value)]


def _value_gain(policy: MetaPolicy, pooled: float, errors: float = DEMANDED) -> float:
    """Return the gain in value over the pooled model less this number, maybe negative, of errors."""
    gain = policy.validation_value - pooled
    error = gain - policy.validation_gain
    return gain - errors * error


def likelihood_gains(
    policies: Sequence[MetaPolicy], pooled: MetaPolicy, start: WarmStart
) -> Mapping[str, float]:
    """Return name → mean gain in log-likelihood per validation round over the pooled model, less two errors.

    Only of policies whose scores are a reward model: the logits of a policy gradient predict no reward.
    """
    parts = validation_tasks(start)
    everywhere = _scored(pooled.zero_shot())
    if everywhere is None:
        raise ValueError(f"{pooled.name} has no scores to compare with: give a reward model.")
    baseline = log_likelihoods([everywhere] * len(parts), start)
    gains = {}
    for policy in policies:
        likelihood = _log_likelihood(policy, parts, start)
        if likelihood is not None:
            gains[policy.name] = sure_gain(likelihood - baseline, *start.validation.clusters, errors=DEMANDED)
    return gains


def _log_likelihood(policy: MetaPolicy, parts: Sequence[ValidationTask], start: WarmStart) -> Tensor | None:
    if isinstance(policy, GradientMetaPolicy) and policy.objective.kind != "reward_likelihood":
        return None
    scored = [_scored(policy.adapt(part.support)) for part in parts]
    if not all(scored):
        return None
    found = log_likelihoods([each for each in scored if each is not None], start)
    return found if bool(torch.isfinite(found).all()) else None


def _scored(policy: Policy) -> ScoredPolicy | None:
    """Return the policy with its scores at hand; None where it has none."""
    if isinstance(policy, SoftmaxPolicy):
        return ScoredPolicy(policy.name, policy.score, policy.temperature)
    return policy if isinstance(policy, ScoredPolicy) else None
