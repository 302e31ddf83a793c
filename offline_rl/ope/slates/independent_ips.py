"""Independent IPS: a slot earns by its own item alone."""

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
class IndependentIPS:
    """Independent (item-position) IPS, V = (1/n) Σ_i Σ_l w_il r_il, w_il = π_e(a_l∣x) / π_b(a_l∣x).

    Unbiased where a slot's reward depends on its own item and place only; biased where neighbors matter. Its
    weights vary least. Its propensities are the marginals of `policies.slot_marginals.slot_marginals`.
    Self-normalized: slot by slot, Σ_l (n_l / n) Σ_i w_il r_il / Σ_i w_il.

    Terms: 1 per slate, w r; self-normalized see `slot_normalized_terms`.
    Source: Li et al. 2018, "Offline evaluation of ranking policies with click models", item-position model.
    """

    self_normalized: bool = False
    rests_on_model: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """`iips` or `sniips`."""
        return "sniips" if self.self_normalized else "iips"

    def seen(self, rounds: SlateRounds) -> Propensities:
        """Return the probabilities of the item in its slot."""
        if rounds.position is None:
            raise lacking(self.name, "position")
        return rounds.position

    def terms(self, rounds: SlateRounds) -> Floats:
        """Return the terms of each row, shape [n, 2], or [n, 1 + 3L] self-normalized."""
        make = slot_normalized_terms if self.self_normalized else per_slate_terms
        return make(rounds, self.seen(rounds).weight)

    def value(self, sums: Floats) -> Floats:
        """Return the weighted reward per slate."""
        return slot_normalized_value(sums) if self.self_normalized else ratio(sums[..., 1], sums[..., 0])
