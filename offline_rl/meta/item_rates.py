"""Item rates: the mean reward of every item, over all rounds or in each segment; no context, no model.

The best-seller list is what shops show before they learn anything, and in a log with few clicks it is hard to
beat. Pseudo-clicks at the log's mean rate keep an item that was shown three times from leading it: additive
smoothing (Agresti & Coull 1998), which is a Beta prior that is fixed, not learned.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from features.contracts.findings import Finding
from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.beta_binomial import ALIKE
from offline_rl.meta.effects_meta_policy import refusal_of_nothing
from offline_rl.meta.fit_by_time import ON_EVERY_CARD, UNVALIDATED, fit_by_time
from offline_rl.meta.meta_policy import CurvePoint, Progress, WithoutPooledModel
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.policies.policy import Policy
from offline_rl.policies.scored_policy import ItemScore, ScoredPolicy
from offline_rl.reward_model import has_binary_rewards

PSEUDO_CLICKS = 10.0
"""Rewarded rounds at the mean rate that every rate is mixed with: at ten of its own it is half its own."""


@dataclass(frozen=True, eq=False)
class Rates:
    """Shrunken mean rewards of things that rounds are about, such as items.

    mean [K]: in units of the rewards given. strength [K]: how many rounds at this rate hold `PSEUDO_CLICKS`
    rewarded ones: the pseudo-rounds of whatever is shrunken towards it in turn.
    """

    mean: Tensor
    strength: Tensor


def shrunken_rates(reward: Tensor, code: Tensor, n_codes: int) -> Rates:
    """Return the rates of the rounds of each code, shrunken to the mean m of all: float64 on the CPU.

        mean = (sum of rewards + M m) / (rounds + M),   M = 10 / share of rounds with a reward other than 0

    For 0/1 rewards this is (clicks + 10) / (rounds + 10 / m). Other rewards get as many pseudo-rounds as it
    takes to see 10 of them that aren't 0: 10 where every round earns something, 1000 where one in a hundred
    buys. reward [n]; code int64 [n] in 0..n_codes-1.

    Two rounds of the first code with one click, two of the second without: m = 1/4, M = 40.

    >>> shrunken_rates(torch.tensor([1.0, 0.0, 0.0, 0.0]), torch.tensor([0, 0, 1, 1]), 2).mean * 42
    tensor([11., 10.], dtype=torch.float64)
    """
    exact, code = reward.to("cpu", torch.float64), code.to("cpu")
    counts = torch.bincount(code, minlength=n_codes).double()
    sums = torch.bincount(code, weights=exact, minlength=n_codes)
    rewarded = torch.bincount(code, weights=(exact != 0).double(), minlength=n_codes)
    mean, share = exact.mean(), (exact != 0).double().mean()
    if has_binary_rewards(exact):
        # Half a success in the log: without a click every rate would be 0 and its log-odds infinite.
        mean = mean.clamp(0.5 / len(exact), 1.0 - 0.5 / len(exact))
    pseudo = _pseudo_rounds(share)
    of_code = (rewarded + pseudo * share) / (counts + pseudo)
    return Rates((sums + pseudo * mean) / (counts + pseudo), _pseudo_rounds(of_code))


def _pseudo_rounds(share: Tensor) -> Tensor:
    return (PSEUDO_CLICKS / share).clamp_max(ALIKE)


def reward_units(reward: Tensor) -> tuple[bool, float]:
    """Return whether rewards [n] are 0/1, and the unit of scores of other rewards: their standard deviation.

    >>> reward_units(torch.tensor([1.0, 3.0, 5.0]))
    (False, 2.0)
    """
    is_binary = has_binary_rewards(reward)
    return is_binary, 1.0 if is_binary or len(reward) == 1 else float(reward.double().std()) or 1.0


@dataclass(frozen=True, eq=False)
class ItemRatesMetaPolicy(WithoutPooledModel):
    """Serves the item with the highest rate; by_segment: with the highest rate in the segment.

    rates: of every item, mean in units of reward_scale.
    lead: see `offline_rl.meta.fit_by_time.FittedPolicy`. The other fields: see `MetaPolicy`.
    """

    kind: ClassVar[str] = "item_rates"

    name: str
    by_segment: bool
    rates: Rates
    temperature: float
    is_binary: bool
    reward_scale: float
    lead: float
    validation_value: float
    validation_gain: float
    curve: tuple[CurvePoint, ...] = ()
    notes: tuple[Finding, ...] = ()

    def zero_shot(self) -> ScoredPolicy:
        """Return the policy that ranks items by their rate in all segments together."""
        return self._served(self.rates.mean)

    def adapt(self, support: LoggedRounds) -> ScoredPolicy:
        """Return the policy that ranks items by their rate in the segment; zero-shot where there is none.

        rate = (sum of rewards + M m) / (rounds + M) of the support's rounds of an item, m and M its `Rates`.
        """
        if not self.adapts or self.refusal(support) is not None:
            return self.zero_shot()
        return self._served(self._in_segments(support, torch.zeros_like(support.segment), 1)[0])

    def adapt_each(self, rounds: LoggedRounds) -> dict[int, Policy]:
        """Return segment → its policy, counted for all segments together."""
        segments, place = torch.unique(rounds.segment, return_inverse=True)
        if not self.adapts:
            return dict.fromkeys(segments.tolist(), self.zero_shot())
        own = self._in_segments(rounds, place, len(segments))
        return {segment: self._served(mean) for segment, mean in zip(segments.tolist(), own, strict=True)}

    def refusal(self, support: LoggedRounds) -> str | None:
        """Refuse an empty support only: with few rounds the pseudo-clicks outweigh them."""
        return refusal_of_nothing(support)

    @property
    def adapts(self) -> bool:
        """Whether rates differ by segment, and there was anything to count."""
        return self.by_segment and bool((self.rates.strength < ALIKE).any())

    def fitted_again(self, rounds: LoggedRounds, seed: int) -> Self:
        """Return the same learner's policy by the counts of other rounds."""
        del seed
        return replace(self, **_counted(rounds))

    def numbers(self) -> dict[str, Tensor]:
        """Return the tensors to store, by name."""
        return {"mean": self.rates.mean, "strength": self.rates.strength}

    def card(self) -> dict[str, Any]:
        """Return the other fields but the curve, in a form that JSON can hold."""
        return {
            "by_segment": self.by_segment,
            **{name: getattr(self, name) for name in ON_EVERY_CARD},
        }

    @classmethod
    def restored(cls, numbers: Mapping[str, Tensor], card: Mapping[str, Any], **shared: Any) -> Self:
        """Build the policy from its `numbers` and `card`; shared: the fields that every meta-policy has."""
        return cls(rates=Rates(numbers["mean"], numbers["strength"]), **card, **shared)

    def _in_segments(self, rounds: LoggedRounds, place: Tensor, n_segments: int) -> Tensor:
        """Return rates of items in segments, [n_segments, A]; place [n]: segment of each round, from 0."""
        cell = (place * rounds.n_actions + rounds.action).to("cpu")
        reward = rounds.reward.to("cpu", torch.float64) / self.reward_scale
        cells = n_segments * rounds.n_actions
        sums = torch.bincount(cell, weights=reward, minlength=cells).reshape(n_segments, -1)
        counts = torch.bincount(cell, minlength=cells).reshape(n_segments, -1)
        mean, strength = (numbers.cpu() for numbers in (self.rates.mean, self.rates.strength))
        return (sums + strength * mean) / (counts + strength)

    def _served(self, mean: Tensor) -> ScoredPolicy:
        values = torch.logit(mean, eps=1e-9) if self.is_binary else mean
        return ScoredPolicy(self.name, ItemScore(values), self.temperature)


@dataclass(frozen=True)
class ItemRates:
    """Counts rewards by item; by_segment: and mixes each segment's own counts with those of all."""

    name: str = "popularity"
    by_segment: bool = False

    def meta_train(self, fits: SharedFits, *, progress: Progress | None = None) -> ItemRatesMetaPolicy:
        """See `Learner`: counted on the training segments, and evaluated by time on all of them."""
        return fit_by_time(self._fit_of_rounds, fits, progress)

    def _fit_of_rounds(self, rounds: LoggedRounds) -> ItemRatesMetaPolicy:
        return ItemRatesMetaPolicy(
            name=self.name,
            by_segment=self.by_segment,
            **_counted(rounds),
            **UNVALIDATED,
        )


def _counted(rounds: LoggedRounds) -> dict[str, Any]:
    """Return the fields of `ItemRatesMetaPolicy` that follow from rounds."""
    is_binary, scale = reward_units(rounds.reward)
    rates = shrunken_rates(rounds.reward.double() / scale, rounds.action, rounds.n_actions)
    return {"rates": rates, "is_binary": is_binary, "reward_scale": scale}
