"""A meta-policy that adapts in closed form: the pooled score, and each segment's effects under one prior."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from features.contracts.findings import Finding
from offline_rl import two_tower
from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.effects_score import effects_score, input_columns, with_intercept
from offline_rl.meta.meta_policy import CurvePoint
from offline_rl.meta.segment_effects import (
    EffectPrior,
    ResidualSums,
    effect_posterior,
    loading_of,
    residual_sums,
)
from offline_rl.policies.scored_policy import ScoredPolicy
from offline_rl.two_tower import Parameters, TwoTowerScore, with_task_dimension


@dataclass(frozen=True, eq=False)
class EffectsMetaPolicy:
    """Adds the posterior mean of a segment's effects, given its support, to the pooled score.

    chosen: the input columns that effects depend on; caution: how many posterior standard deviations are
    taken off. is_adapting is False where adaptation was switched off. The other fields: see `MetaPolicy`.
    """

    kind: ClassVar[str] = "random_effects"

    name: str
    parameters: Parameters
    prior: EffectPrior
    chosen: tuple[int, ...]
    temperature: float
    is_binary: bool
    reward_scale: float
    caution: float
    is_adapting: bool
    validation_value: float
    validation_gain: float
    curve: tuple[CurvePoint, ...] = ()
    notes: tuple[Finding, ...] = ()

    def zero_shot(self) -> ScoredPolicy:
        """Return the pooled model, read out as a policy."""
        return ScoredPolicy(self.name, TwoTowerScore(self.parameters), self.temperature)

    def adapt(self, support: LoggedRounds) -> ScoredPolicy:
        """Return policy for the segment that `support` comes from; zero-shot where `refusal` has a reason."""
        if not self.is_adapting or self.refusal(support) is not None:
            return self.zero_shot()
        sums = pooled_residual_sums(
            support,
            logged_pooled_score(self.parameters, support),
            torch.zeros_like(support.segment),
            n_segments=1,
            chosen=self.chosen,
            is_binary=self.is_binary,
            reward_scale=self.reward_scale,
        )
        score = effects_score(
            TwoTowerScore(self.parameters),
            effect_posterior(sums, loading_of(support.item_features), self.prior),
            n_slots=support.n_slots,
            chosen=self.chosen,
            is_binary=self.is_binary,
            caution=self.caution,
        )
        return ScoredPolicy(self.name, score, self.temperature)

    def refusal(self, support: LoggedRounds) -> str | None:
        """Refuse an empty support only: with few rounds the prior outweighs them."""
        return refusal_of_nothing(support)

    @property
    def adapts(self) -> bool:
        """Whether a segment's policy can differ from the zero-shot one."""
        return self.is_adapting

    def with_pooled_model(self, pooled: Parameters, before: Parameters) -> Self:
        """Return the same effects, of residuals from another pooled model."""
        del before
        return replace(self, parameters=pooled)

    def numbers(self) -> dict[str, Tensor]:
        """Return the tensors to store, by name."""
        prior = {"prior.shared": self.prior.shared, "prior.action": self.prior.action}
        return {**prior, **{f"pooled.{name}": value for name, value in self.parameters.items()}}

    def card(self) -> dict[str, Any]:
        """Return the other fields but the curve, in a form that JSON can hold."""
        return {
            "dispersion": self.prior.dispersion,
            "chosen": list(self.chosen),
            "temperature": self.temperature,
            "is_binary": self.is_binary,
            "reward_scale": self.reward_scale,
            "caution": self.caution,
            "is_adapting": self.is_adapting,
        }

    @classmethod
    def restored(cls, numbers: Mapping[str, Tensor], card: Mapping[str, Any], **shared: Any) -> Self:
        """Build the policy from its `numbers` and `card`; shared: the fields that every meta-policy has."""
        own = dict(card)
        prior = EffectPrior(numbers["prior.shared"], numbers["prior.action"], own.pop("dispersion"))
        parameters = {
            name.removeprefix("pooled."): value
            for name, value in numbers.items()
            if name.startswith("pooled.")
        }
        chosen = tuple(own.pop("chosen"))
        return cls(parameters=parameters, prior=prior, chosen=chosen, **own, **shared)


def refusal_of_nothing(support: LoggedRounds) -> str | None:
    """Return why nothing can be learned from an empty support, as a sentence; None if it isn't empty."""
    return "The support is empty: there is nothing to adapt to." if support.n == 0 else None


def logged_pooled_score(parameters: Parameters, rounds: LoggedRounds) -> Tensor:
    """Return the pooled score of each round's logged item: [n]."""
    like = parameters["context_weight"]
    with torch.no_grad():
        return two_tower.logged_scores(
            with_task_dimension(parameters, 1),
            rounds.context.to(like).unsqueeze(0),
            rounds.slot.to(like.device).unsqueeze(0),
            rounds.item_features.to(like),
            rounds.action.to(like.device).unsqueeze(0),
        )[0]


def mean_and_weight(score: Tensor, *, is_binary: bool) -> tuple[Tensor, Tensor]:
    """Return the expected reward of a score, and its derivative w by the score, in float64.

    >>> mean_and_weight(torch.zeros(1), is_binary=True)
    (tensor([0.5000], dtype=torch.float64), tensor([0.2500], dtype=torch.float64))
    """
    exact = score.to("cpu", torch.float64)
    if not is_binary:
        return exact, torch.ones_like(exact)
    return torch.sigmoid(exact), (torch.sigmoid(exact) * torch.sigmoid(-exact)).clamp_min(1e-9)


def pooled_residual_sums(
    rounds: LoggedRounds,
    score: Tensor,
    segment: Tensor,
    *,
    n_segments: int,
    chosen: tuple[int, ...],
    is_binary: bool,
    reward_scale: float,
) -> ResidualSums:
    """Return the sums of residuals r - q(score) [n] of rounds in segments 0..n_segments - 1."""
    mean, weight = mean_and_weight(score, is_binary=is_binary)
    columns = with_intercept(input_columns(rounds.context, rounds.slot, rounds.n_slots), chosen)
    residual = rounds.reward.to("cpu", torch.float64) / reward_scale - mean
    cell = segment.to("cpu") * rounds.n_actions + rounds.action.to("cpu")
    return residual_sums(columns, weight, residual, cell, (n_segments, rounds.n_actions))
