"""Boosting: gradient-boosted trees on context, slot, item and segment, the last two as numbers.

Source: Friedman 2001; the settings are common first choices, and none is tuned.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from features.contracts.findings import Finding
from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.boosted_model import BoostedModel, BoostedScore, fit_boosted
from offline_rl.meta.boosted_trees import BoostedTrees
from offline_rl.meta.crosses_logit import refusal_of_unseen
from offline_rl.meta.fit_by_time import ON_EVERY_CARD, UNVALIDATED, fit_by_time
from offline_rl.meta.item_rates import reward_units
from offline_rl.meta.meta_policy import CurvePoint, Progress, WithoutPooledModel
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.policies.policy import Policy
from offline_rl.policies.scored_policy import ScoredPolicy

_TREES = "trees."
"""Prefix of the names of the trees' stored tensors."""


@dataclass(frozen=True, eq=False)
class BoostingMetaPolicy(WithoutPooledModel):
    """Serves the best item by boosted trees; see the module.

    lead: see `offline_rl.meta.fit_by_time.FittedPolicy`. The other fields: see `MetaPolicy`.
    """

    kind: ClassVar[str] = "boosting"

    name: str
    model: BoostedModel
    temperature: float
    is_binary: bool
    reward_scale: float
    lead: float
    validation_value: float
    validation_gain: float
    curve: tuple[CurvePoint, ...] = ()
    notes: tuple[Finding, ...] = ()

    def zero_shot(self) -> ScoredPolicy:
        """Return policy for an unseen segment, a missing value: it goes where most segments' rounds went."""
        return self._of_rank(math.nan)

    def adapt(self, support: LoggedRounds) -> ScoredPolicy:
        """Return policy of the segment that `support` comes from, as fitted; zero-shot for an unseen one."""
        if self.refusal(support) is not None:
            return self.zero_shot()
        return self._of_rank(self.model.rank_of(int(support.segment[0])))

    def adapt_each(self, rounds: LoggedRounds) -> dict[int, Policy]:
        """Return segment → its policy, for every segment that has rounds here."""
        segments = torch.unique(rounds.segment).tolist()
        return {segment: self._of_rank(self.model.rank_of(segment)) for segment in segments}

    def refusal(self, support: LoggedRounds) -> str | None:
        """Refuse an empty support, and that of a segment that wasn't fitted."""
        return refusal_of_unseen(support, self.model.segments)

    @property
    def adapts(self) -> bool:
        """Whether any tree splits on the segment."""
        return self.model.trees.split_on(self.model.n_context + 1)

    def fitted_again(self, rounds: LoggedRounds, seed: int) -> Self:
        """Grow the same trees on other rounds."""
        return replace(self, **_fitted(rounds, seed))

    def numbers(self) -> dict[str, Tensor]:
        """Return the tensors to store, by name."""
        trees = {f"{_TREES}{name}": value for name, value in self.model.trees.numbers().items()}
        return {**trees, **{name: getattr(self.model, name) for name in ("items", "segments", "rank")}}

    def card(self) -> dict[str, Any]:
        """Return the other fields but the curve, in a form that JSON can hold."""
        return {
            "baseline": self.model.trees.baseline,
            "n_context": self.model.n_context,
            **{name: getattr(self, name) for name in ON_EVERY_CARD},
        }

    @classmethod
    def restored(cls, numbers: Mapping[str, Tensor], card: Mapping[str, Any], **shared: Any) -> Self:
        """Build the policy from its `numbers` and `card`; shared: the fields that every meta-policy has."""
        own = dict(card)
        of_trees = {name: value for name, value in numbers.items() if name.startswith(_TREES)}
        others = {name: value for name, value in numbers.items() if name not in of_trees}
        trees = BoostedTrees(
            baseline=own.pop("baseline"),
            **{name.removeprefix(_TREES): value for name, value in of_trees.items()},
        )
        return cls(model=BoostedModel(trees, **others, n_context=own.pop("n_context")), **own, **shared)

    def _of_rank(self, rank: float) -> ScoredPolicy:
        return ScoredPolicy(self.name, BoostedScore(self.model, rank), self.temperature)


@dataclass(frozen=True)
class Boosting:
    """Grows the trees of the module, with common settings; none is tuned."""

    name: str = "boosting"

    def meta_train(self, fits: SharedFits, *, progress: Progress | None = None) -> BoostingMetaPolicy:
        """See `Learner`: grown on the training segments, and evaluated by time on all of them."""
        return fit_by_time(lambda rounds: self._fit_of_rounds(rounds, fits.seed), fits, progress)

    def _fit_of_rounds(self, rounds: LoggedRounds, seed: int) -> BoostingMetaPolicy:
        return BoostingMetaPolicy(
            name=self.name,
            **_fitted(rounds, seed),
            **UNVALIDATED,
        )


def _fitted(rounds: LoggedRounds, seed: int) -> dict[str, Any]:
    """Return the fields of `BoostingMetaPolicy` that follow from rounds."""
    is_binary, scale = reward_units(rounds.reward)
    model = fit_boosted(rounds.to("cpu", torch.float64), is_binary=is_binary, reward_scale=scale, seed=seed)
    return {"model": model, "is_binary": is_binary, "reward_scale": scale}
