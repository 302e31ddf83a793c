"""A meta-policy that adapts by Bayes' rule: pooled scores, and a posterior over how a segment differs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from features.contracts.findings import Finding
from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.bayesian_features import all_deviations
from offline_rl.meta.bayesian_posterior import evidence_of, posterior_mode
from offline_rl.meta.effects_meta_policy import logged_pooled_score, refusal_of_nothing
from offline_rl.meta.meta_policy import CurvePoint
from offline_rl.meta.task_batches import pad_tasks
from offline_rl.policies.scored_policy import Score, ScoredPolicy
from offline_rl.two_tower import Parameters, TwoTowerScore
from offline_rl.user_history import UserHistory


@dataclass(frozen=True, eq=False)
class BayesianScore:
    """score(x, slot, a) of one segment: the base score, moved by psi(x, a)·w.

    prior: parameters of `bayesian_features`; weights [1, P].
    """

    base: Score
    prior: Parameters
    weights: Tensor

    def __call__(
        self, context: Tensor, slot: Tensor, item_features: Tensor, history: UserHistory | None = None
    ) -> Tensor:
        """Return the scores [n, A], on the base score's device."""
        score = self.base(context, slot, item_features, history)
        batch = {
            "context": context.to(score).unsqueeze(0),
            "slot": slot.to(score.device).unsqueeze(0),
            "item_features": item_features.to(score).unsqueeze(0),
        }
        return score + all_deviations(self.prior, self.weights, batch)[0]


@dataclass(frozen=True, eq=False)
class BayesianMetaPolicy:
    """Adapts pooled scores to a segment by the posterior mode of its weights given its support.

    pooled: the pooled reward model's parameters; prior: those of `bayesian_features`. is_adapting is False
    where no learned prior beat the pooled model. reward_scale: the unit of scores for rewards that are not
    0 or 1. The other fields: see `MetaPolicy`.
    """

    kind: ClassVar[str] = "bayesian_last_layer"

    name: str
    pooled: Parameters
    prior: Parameters
    temperature: float
    is_binary: bool
    reward_scale: float
    is_adapting: bool
    validation_value: float
    validation_gain: float
    curve: tuple[CurvePoint, ...] = ()
    notes: tuple[Finding, ...] = ()

    def zero_shot(self) -> ScoredPolicy:
        """Return the pooled model, read out as a policy: the prior's mean is a deviation of 0."""
        return ScoredPolicy(self.name, TwoTowerScore(self.pooled), self.temperature)

    def adapt(self, support: LoggedRounds) -> ScoredPolicy:
        """Return policy for the segment that `support` comes from; zero-shot where `refusal` has a reason.

        The mode is found in float64, so that the order of rounds and their device do not show.
        """
        if not self.is_adapting or self.refusal(support) is not None:
            return self.zero_shot()
        like = self.pooled["context_weight"]
        rows = support.action.new_tensor(range(support.n))
        batch = pad_tasks(support.to(like.device, torch.float64), [rows.to(like.device)])
        batch["offset"] = logged_pooled_score(self.pooled, support).double().unsqueeze(0)
        batch["reward"] = batch["reward"] / self.reward_scale
        exact = {name: value.double() for name, value in self.prior.items()}
        with torch.no_grad():
            weights = posterior_mode(evidence_of(exact, batch, is_binary=self.is_binary))
        score = BayesianScore(TwoTowerScore(self.pooled), self.prior, weights.to(like))
        return ScoredPolicy(self.name, score, self.temperature)

    def refusal(self, support: LoggedRounds) -> str | None:
        """Return why this support can't be adapted to, as a sentence; None if it can.

        No support is too thin: the fewer rounds, the more the prior outweighs them.
        """
        if not bool(support.context.isfinite().all() and support.reward.isfinite().all()):
            return "The support holds a context or a reward that isn't a finite number."
        if self.is_binary and not bool(((support.reward >= 0) & (support.reward <= 1)).all()):
            return "The support holds rewards outside 0..1, and the policy learned from 0 and 1 alone."
        return refusal_of_nothing(support)

    @property
    def adapts(self) -> bool:
        """Whether a segment's policy can differ from the zero-shot one."""
        return self.is_adapting

    def with_pooled_model(self, pooled: Parameters, before: Parameters) -> Self:
        """Return the same prior of how segments differ from another pooled model."""
        del before
        return replace(self, pooled=pooled)

    def numbers(self) -> dict[str, Tensor]:
        """Return the tensors to store, by name."""
        prior = {f"prior.{name}": value for name, value in self.prior.items()}
        return {**prior, **{f"pooled.{name}": value for name, value in self.pooled.items()}}

    def card(self) -> dict[str, Any]:
        """Return the other fields but the curve, in a form that JSON can hold."""
        return {
            "temperature": self.temperature,
            "is_binary": self.is_binary,
            "reward_scale": self.reward_scale,
            "is_adapting": self.is_adapting,
        }

    @classmethod
    def restored(cls, numbers: Mapping[str, Tensor], card: Mapping[str, Any], **shared: Any) -> Self:
        """Build the policy from its `numbers` and `card`; shared: the fields that every meta-policy has."""

        def part(prefix: str) -> dict[str, Tensor]:
            return {name.removeprefix(prefix): v for name, v in numbers.items() if name.startswith(prefix)}

        return cls(pooled=part("pooled."), prior=part("prior."), **card, **shared)
