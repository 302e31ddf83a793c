"""Per segment alone: each segment's reward model from its own support, as if there were no others."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from features.contracts.findings import Finding
from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.effects_meta_policy import refusal_of_nothing
from offline_rl.meta.effects_score import effects_score, input_columns, with_intercept
from offline_rl.meta.meta_policy import CurvePoint, Progress, WithoutPooledModel
from offline_rl.meta.policy_validation import log_likelihoods, one_point_curve, validate, validation_tasks
from offline_rl.meta.segment_effects import EffectPrior, effect_posterior, loading_of, residual_sums
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.meta.warm_start import WarmStart
from offline_rl.policies.scored_policy import LevelScore, ScoredPolicy

VARIANCES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003)
"""Prior variances of a coefficient that are tried, in squared log-odds per standardized column: the inverses
of ridge penalties."""


@dataclass(frozen=True, eq=False)
class PerSegmentMetaPolicy(WithoutPooledModel):
    """A ridge regression of the support's rewards on item, item features, context and slot.

    variance: of every coefficient's prior, the inverse of the penalty. A segment of which nothing is known
    is served uniformly. The other fields: see `MetaPolicy`.
    """

    kind: ClassVar[str] = "per_segment"

    name: str
    variance: float
    temperature: float
    is_binary: bool
    reward_scale: float
    validation_value: float
    validation_gain: float
    curve: tuple[CurvePoint, ...] = ()
    notes: tuple[Finding, ...] = ()

    def zero_shot(self) -> ScoredPolicy:
        """Return uniform policy: without its own log a segment alone gives no reason to prefer an item."""
        return ScoredPolicy(self.name, LevelScore(0.0), self.temperature)

    def adapt(self, support: LoggedRounds) -> ScoredPolicy:
        """Return the policy fitted on `support` alone; zero-shot where it is empty.

            score = level + l_a' b + x' theta_a,  b, theta_a ~ N(0, variance)

        by the posterior mean of `offline_rl.meta.segment_effects`, around the support's own mean reward.
        """
        if self.refusal(support) is not None:
            return self.zero_shot()
        exact = support.to("cpu", torch.float64)
        reward = exact.reward / self.reward_scale
        centered = reward - reward.mean()
        # Half a success and half a failure more: without a click the level would be minus infinity.
        extra = 1.0 if self.is_binary else 0.0
        mean = (float(reward.sum()) + 0.5 * extra) / (exact.n + extra)
        level = math.log(mean / (1.0 - mean)) if self.is_binary else mean
        inputs = input_columns(exact.context, exact.slot, exact.n_slots)
        chosen = tuple(range(inputs.shape[1]))
        sums = residual_sums(
            with_intercept(inputs, chosen),
            torch.full_like(reward, mean * (1.0 - mean) if self.is_binary else 1.0),
            centered,
            exact.action,
            (1, exact.n_actions),
        )
        loading = loading_of(exact.item_features)
        prior = EffectPrior(
            torch.full((loading.shape[1],), self.variance, dtype=torch.float64),
            torch.full((1 + len(chosen),), self.variance, dtype=torch.float64),
            dispersion=1.0,
        )
        score = effects_score(
            LevelScore(level),
            effect_posterior(sums, loading, prior),
            n_slots=exact.n_slots,
            chosen=chosen,
            is_binary=self.is_binary,
        )
        return ScoredPolicy(self.name, score, self.temperature)

    def refusal(self, support: LoggedRounds) -> str | None:
        """Refuse an empty support only."""
        return refusal_of_nothing(support)

    @property
    def adapts(self) -> bool:
        """It does nothing else."""
        return True

    def numbers(self) -> dict[str, Tensor]:
        """Return the tensors to store, by name: the one number that was learned."""
        return {"variance": torch.tensor([self.variance], dtype=torch.float64)}

    def card(self) -> dict[str, Any]:
        """Return the other fields but the curve, in a form that JSON can hold."""
        return {
            "temperature": self.temperature,
            "is_binary": self.is_binary,
            "reward_scale": self.reward_scale,
        }

    @classmethod
    def restored(cls, numbers: Mapping[str, Tensor], card: Mapping[str, Any], **shared: Any) -> Self:
        """Build the policy from its `numbers` and `card`; shared: the fields that every meta-policy has."""
        return cls(variance=float(numbers["variance"][0]), **card, **shared)


@dataclass(frozen=True)
class PerSegment:
    """Learns each segment alone: nothing is shared but the penalty and the read-out."""

    name: str = "per_segment"

    def meta_train(self, fits: SharedFits, *, progress: Progress | None = None) -> PerSegmentMetaPolicy:
        """See `Learner`: the validation segments choose the penalty, by the likelihood of their query."""
        began = time.perf_counter()
        start = fits.warm_start
        untried = PerSegmentMetaPolicy(
            name=self.name,
            variance=min(VARIANCES),
            temperature=start.temperature,
            is_binary=start.model.is_binary,
            reward_scale=start.model.reward_scale,
            validation_value=math.nan,
            validation_gain=math.nan,
            notes=start.notes,
        )
        trials = [replace(untried, variance=variance) for variance in sorted(VARIANCES)]
        policy = max(trials, key=lambda trial: _likelihood(trial, start))
        seen = validate(policy, start)
        curve = one_point_curve(seen, began, progress)
        return replace(policy, validation_value=seen.value, validation_gain=seen.gain, curve=curve)


def _likelihood(policy: PerSegmentMetaPolicy, start: WarmStart) -> float:
    adapted = [policy.adapt(part.support) for part in validation_tasks(start)]
    return float(log_likelihoods(adapted, start).mean())
