"""Reward-interaction IPS: a slot earns by its item and those above."""

from dataclasses import dataclass
from typing import ClassVar

from offline_rl.ope.records import Floats
from offline_rl.ope.slates.records import Propensities, SlateRounds, lacking
from offline_rl.ope.slates.weighted_rewards import (
    per_slate_terms,
    slot_normalized_terms,
    slot_normalized_value,
)
from offline_rl.ope.sums import ratio


@dataclass(frozen=True)
class RewardInteractionIPS:
    """Reward-interaction IPS, V = (1/n) Σ_i Σ_l w_{i,1:l} r_il, w_{1:l} = π_e(a_{1:l}∣x) / π_b(a_{1:l}∣x).

    Unbiased where users read from the top (cascade): a slot's reward depends on its item and those above, not
    on those below. Between standard and independent IPS in assumption and variance. Self-normalized: slot
    by slot, Σ_l (n_l / n) Σ_i w_{i,1:l} r_il / Σ_i w_{i,1:l}.

    Terms: 1 per slate, w r; self-normalized see `slot_normalized_terms`.
    Source: McInerney et al. 2020, "Counterfactual evaluation of slate recommendations with sequential reward
    interactions", RIPS; the paper's own form is the self-normalized one.
    """

    self_normalized: bool = False
    rests_on_model: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """`rips` or `snrips`."""
        return "snrips" if self.self_normalized else "rips"

    def seen(self, rounds: SlateRounds) -> Propensities:
        """Return the probabilities of the slate down to the slot."""
        if rounds.cascade is None:
            raise lacking(self.name, "cascade")
        return rounds.cascade

    def terms(self, rounds: SlateRounds) -> Floats:
        """Return the terms of each row, shape [n, 2], or [n, 1 + 3L] self-normalized."""
        make = slot_normalized_terms if self.self_normalized else per_slate_terms
        return make(rounds, self.seen(rounds).weight)

    def value(self, sums: Floats) -> Floats:
        """Return the weighted reward per slate."""
        return slot_normalized_value(sums) if self.self_normalized else ratio(sums[..., 1], sums[..., 0])
