"""Mixed effects: one fit for what all segments share and for what each has of its own.

The prior of a segment's effects is learned over all segments (empirical Bayes), and that is all that is
meta-learned: how much segments differ, in what. Adapting to a segment is the posterior mode of its effects,
a solve of a few dozen numbers. Without the segments' level it is the pooled reward model.
Sources: Gelman & Hill 2007, chapters 12 to 14; Hong et al. 2023 (HierOPO) for logged bandit data.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from features.contracts.findings import Finding
from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.effects_meta_policy import refusal_of_nothing
from offline_rl.meta.fit_by_time import UNVALIDATED, validated_by_time
from offline_rl.meta.meta_policy import CurvePoint, Progress, WithoutPooledModel
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.mixed_model.model import MixedModel, fit_model
from offline_rl.mixed_model.storage import card_of, numbers_of, restored_model
from offline_rl.policies.policy import Policy
from offline_rl.policies.scored_policy import ScoredPolicy

NEGLIGIBLE = 1e-4
"""Variance below which segments don't differ: effects of 0.01 in log-odds change no choice."""


@dataclass(frozen=True, eq=False)
class MixedMetaPolicy(WithoutPooledModel):
    """Serves the best item by a mixed model; with_segments: with the segment's own effects.

    lead: see `offline_rl.meta.fit_by_time.FittedPolicy`. The other fields: see `MetaPolicy`.
    """

    kind: ClassVar[str] = "mixed_effects"

    name: str
    model: MixedModel
    with_segments: bool
    temperature: float
    lead: float
    validation_value: float
    validation_gain: float
    curve: tuple[CurvePoint, ...] = ()
    notes: tuple[Finding, ...] = ()

    def zero_shot(self) -> ScoredPolicy:
        """Return the policy without any segment's own effects."""
        return ScoredPolicy(self.name, self.model.score(), self.temperature)

    def adapt(self, support: LoggedRounds) -> ScoredPolicy:
        """Return the policy for the segment that `support` comes from; zero-shot where there is none."""
        if not self.adapts or self.refusal(support) is not None:
            return self.zero_shot()
        effects = self.model.segment_effects(support, torch.zeros_like(support.segment), 1)
        return ScoredPolicy(self.name, self.model.score(effects[0]), self.temperature)

    def adapt_each(self, rounds: LoggedRounds) -> dict[int, Policy]:
        """Return segment → its policy, solved for all segments together."""
        segments, place = torch.unique(rounds.segment, return_inverse=True)
        if not self.adapts:
            return dict.fromkeys(segments.tolist(), self.zero_shot())
        effects = self.model.segment_effects(rounds, place, len(segments))
        return {
            segment: ScoredPolicy(self.name, self.model.score(own), self.temperature)
            for segment, own in zip(segments.tolist(), effects, strict=True)
        }

    def refusal(self, support: LoggedRounds) -> str | None:
        """Refuse an empty support only: with few rounds the prior outweighs them."""
        return refusal_of_nothing(support)

    @property
    def adapts(self) -> bool:
        """Whether segments were found to differ at all."""
        return self.with_segments and bool((self.model.variances[1] > NEGLIGIBLE).any())

    def fitted_again(self, rounds: LoggedRounds, seed: int) -> Self:
        """Return the same learner's policy fitted on other rounds, prior variances included."""
        model = fit_model(
            rounds, with_segments=self.with_segments, with_factors=self.model.has_factors, seed=seed
        )
        return replace(self, model=model)

    def numbers(self) -> dict[str, Tensor]:
        """Return the tensors to store, by name."""
        return numbers_of(self.model)

    def card(self) -> dict[str, Any]:
        """Return the other fields but the curve, in a form that JSON can hold."""
        return {
            "with_segments": self.with_segments,
            "temperature": self.temperature,
            "lead": self.lead,
            "model": card_of(self.model),
        }

    @classmethod
    def restored(cls, numbers: Mapping[str, Tensor], card: Mapping[str, Any], **shared: Any) -> Self:
        """Build the policy from its `numbers` and `card`; shared: the fields that every meta-policy has."""
        own = dict(card)
        return cls(model=restored_model(numbers, own.pop("model")), **own, **shared)


@dataclass(frozen=True)
class MixedEffects:
    """Learns a mixed model; with_segments: with effects of each segment's own."""

    name: str = "mixed_effects"
    with_segments: bool = True

    def meta_train(self, fits: SharedFits, *, progress: Progress | None = None) -> MixedMetaPolicy:
        """See `Learner`: fitted on the training segments, and evaluated by time on all of them."""
        began = time.perf_counter()
        split = fits.time_split
        if self.with_segments:
            has_factors = split.model.has_factors
            models = [
                fit_model(rounds, with_segments=True, with_factors=has_factors, seed=fits.seed)
                for rounds in (split.support, fits.training_rounds[0])
            ]
        else:
            models = [split.model, fits.pooled_model]
        early, learned = map(self._policy, models)
        return validated_by_time(early, learned, fits, began, progress)

    def _policy(self, model: MixedModel) -> MixedMetaPolicy:
        return MixedMetaPolicy(
            name=self.name,
            model=model,
            with_segments=self.with_segments,
            **UNVALIDATED,
        )
