"""Empirical-Bayes Beta-Binomial: each segment's reward rate per item, shrunk towards that of all segments.

The random effects of `offline_rl.meta.random_effects` without a reward model: what is left of personalization
when nothing but the segment of a round is known. Source: Robbins 1956; the moments, Kleinman 1973; for
rewards that aren't 0/1 the same credibility formula, Bühlmann & Straub 1970.
"""

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
from offline_rl.meta.meta_policy import CurvePoint, Progress, WithoutPooledModel
from offline_rl.meta.policy_validation import one_point_curve, validate
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.policies.scored_policy import ItemScore, Score, ScoredPolicy

ALIKE = 1e12
"""Pseudo-rounds of a prior whose groups don't differ: more than any log, and finite in every product."""


def prior_strength(rewards: Tensor, counts: Tensor, *, within: Tensor | None) -> tuple[Tensor, Tensor]:
    """Estimate mean m and strength M, in pseudo-rounds, of groups [S, ...] along dimension 0, by moments.

        m = sum s / sum n
        v = max(0, [sum n_s (p_s - m)^2 - (S - 1) w] / (N - sum n_s^2 / N))
        M = m (1 - m) / v - 1   for 0/1 rewards (within None), w = m (1 - m);   else  M = w / v

    rewards s, counts n; S counts the groups with rounds; within w: the variance of one reward in its group.
    Columns without rounds get m = 0 and M = `ALIKE`, as do means that don't vary more than chance.

    Two groups of 10 with 2 and 8 successes: m = 0.5, v = (10 * 0.09 * 2 - 0.25) / (20 - 10) = 0.155,
    M = 0.25 / 0.155 - 1.

    >>> m, strength = prior_strength(torch.tensor([2.0, 8.0]), torch.tensor([10.0, 10.0]), within=None)
    >>> m.item(), round(strength.item(), 4)
    (0.5, 0.6129)
    """
    total = counts.sum(0)
    mean = rewards.sum(0) / total.clamp_min(1.0)
    rate = rewards / counts.clamp_min(1.0)
    groups = (counts > 0).sum(0).to(rewards.dtype)
    one = mean * (1.0 - mean) if within is None else within
    between = (counts * (rate - mean).square()).sum(0) - (groups - 1.0) * one
    comparable = total - counts.square().sum(0) / total.clamp_min(1.0)
    variance = (between / comparable.clamp_min(1e-12)).clamp_min(0.0)
    variance = torch.where(comparable > 1e-9, variance, 0.0)
    # Groups of zeros and ones only have v = m (1 - m), for which no prior is weak enough: one pseudo-round in
    # a thousand keeps the posterior inside (0, 1).
    strength = one / variance.clamp_min(1e-30) - (1.0 if within is None else 0.0)
    return mean, torch.where(variance > 0, strength.clamp(1e-3, ALIKE), ALIKE)


@dataclass(frozen=True, eq=False)
class BetaBinomialMetaPolicy(WithoutPooledModel):
    """Serves each item by its posterior mean reward (s + M m) / (n + M) in the segment, whatever the context.

    mean, strength [A]: m and M of every item. The other fields: see `MetaPolicy`.
    """

    kind: ClassVar[str] = "beta_binomial"

    name: str
    mean: Tensor
    strength: Tensor
    temperature: float
    is_binary: bool
    reward_scale: float
    validation_value: float
    validation_gain: float
    curve: tuple[CurvePoint, ...] = ()
    notes: tuple[Finding, ...] = ()

    def zero_shot(self) -> ScoredPolicy:
        """Return the policy that ranks items by their mean reward in all training segments."""
        return ScoredPolicy(self.name, self._score(self.mean), self.temperature)

    def adapt(self, support: LoggedRounds) -> ScoredPolicy:
        """Return policy by posterior mean rewards in the segment; zero-shot where the support is empty."""
        if self.refusal(support) is not None:
            return self.zero_shot()
        rewards, counts = _totals(support, torch.zeros_like(support.segment), 1, self.reward_scale)
        posterior = (rewards[0] + self.strength * self.mean) / (counts[0] + self.strength)
        return ScoredPolicy(self.name, self._score(posterior), self.temperature)

    def refusal(self, support: LoggedRounds) -> str | None:
        """Refuse an empty support only: with few rounds the prior outweighs them."""
        return refusal_of_nothing(support)

    @property
    def adapts(self) -> bool:
        """Whether any item's rate was seen to differ between segments."""
        return bool((self.strength < ALIKE).any())

    def numbers(self) -> dict[str, Tensor]:
        """Return the tensors to store, by name."""
        return {"mean": self.mean, "strength": self.strength}

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
        return cls(mean=numbers["mean"], strength=numbers["strength"], **card, **shared)

    def _score(self, mean: Tensor) -> Score:
        values = torch.logit(mean, eps=1e-9) if self.is_binary else mean
        return ItemScore(values)


@dataclass(frozen=True)
class BetaBinomial:
    """The case without context: it uses counts and rewards per segment and item alone."""

    name: str = "beta_binomial"

    def meta_train(self, fits: SharedFits, *, progress: Progress | None = None) -> BetaBinomialMetaPolicy:
        """See `Learner`: a prior per item from the training segments, adapted to by counting.

        An item's own mean is shrunk in the same way, towards the mean of all items: one that was shown three
        times has no rate yet, and one never shown gets that of all items.
        """
        began = time.perf_counter()
        start = fits.warm_start
        model, rounds = start.model, start.training
        segments = torch.tensor(start.segments)
        position = torch.searchsorted(segments, rounds.segment.to("cpu"))
        rewards, counts = _totals(rounds, position, len(segments), model.reward_scale)
        within = None if model.is_binary else _variance_within(rounds, rewards, counts, model.reward_scale)
        _, strength = prior_strength(rewards, counts, within=within)
        everyone, alike = prior_strength(rewards.sum(0), counts.sum(0), within=within)
        # Half a success in the log: without a click every rate would be 0 and its log-odds infinite.
        everyone = everyone.clamp(0.5 / rounds.n, 1.0 - 0.5 / rounds.n) if model.is_binary else everyone
        policy = BetaBinomialMetaPolicy(
            name=self.name,
            mean=(rewards.sum(0) + alike * everyone) / (counts.sum(0) + alike),
            strength=strength,
            temperature=start.temperature,
            is_binary=model.is_binary,
            reward_scale=model.reward_scale,
            validation_value=math.nan,
            validation_gain=math.nan,
            notes=start.notes,
        )
        seen = validate(policy, start)
        curve = one_point_curve(seen, began, progress)
        return replace(policy, validation_value=seen.value, validation_gain=seen.gain, curve=curve)


def _totals(
    rounds: LoggedRounds, segment: Tensor, n_segments: int, reward_scale: float
) -> tuple[Tensor, Tensor]:
    """Return the rewards and counts of every segment and item, [S, A] each, in float64 on the CPU."""
    shape = (n_segments, rounds.n_actions)
    cell = segment.to("cpu") * rounds.n_actions + rounds.action.to("cpu")
    reward = rounds.reward.to("cpu", torch.float64) / reward_scale
    cells = n_segments * rounds.n_actions
    rewards = torch.bincount(cell, weights=reward, minlength=cells).reshape(shape)
    return rewards, torch.bincount(cell, minlength=cells).reshape(shape).to(torch.float64)


def _variance_within(rounds: LoggedRounds, rewards: Tensor, counts: Tensor, reward_scale: float) -> Tensor:
    """Return the variance of a reward around the mean of its segment and item."""
    squares = (rounds.reward.to("cpu", torch.float64) / reward_scale).square().sum()
    explained = (rewards.square() / counts.clamp_min(1.0)).sum()
    freedom = (counts.sum() - (counts > 0).sum()).clamp_min(1.0)
    return ((squares - explained) / freedom).clamp_min(1e-12)
