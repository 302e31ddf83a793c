"""Cascade doubly robust: reward-interaction IPS with a model of what the rest of the slate earns."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offline_rl.ope.records import Floats
from offline_rl.ope.slates.records import Propensities, SlateRounds, lacking
from offline_rl.ope.slates.weighted_rewards import by_slot, split_by_slot
from offline_rl.ope.sums import ratio


@dataclass(frozen=True)
class CascadeDoublyRobust:
    """Cascade-DR, V = (1/n) Σ_i Σ_l [w_{1:l} (r_l − Q̂_l(a_{1:l})) + w_{1:l−1} E_{a∼π_e} Q̂_l(a_{1:l−1}, a)].

    w_{1:0} = 1. Q̂_l models the rewards of slot l and all below under π_e, given the context. Like
    reward-interaction IPS it is unbiased under the cascade, whatever Q̂; an exact Q̂ leaves no variance but
    that of rewards and contexts. Fit Q̂ on other slates than these. Self-normalized: w_{1:l} and w_{1:l−1} are
    divided by their means in the slot.

    Terms: 1 per slate, the bracket; self-normalized per slot n_l, w_{1:l}, its product with r − Q̂, w_{1:l−1},
    its product with E Q̂.
    Source: Kiyohara et al. 2022, "Doubly robust off-policy evaluation for ranking policies under the cascade
    behavior model" (WSDM).
    """

    self_normalized: bool = False
    rests_on_model: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """`cascade_dr` or `sncascade_dr`."""
        return "sncascade_dr" if self.self_normalized else "cascade_dr"

    def seen(self, rounds: SlateRounds) -> Propensities:
        """Return the probabilities of the slate down to the slot."""
        if rounds.cascade is None:
            raise lacking(self.name, "cascade")
        return rounds.cascade

    def terms(self, rounds: SlateRounds) -> Floats:
        """Return the terms of each row, shape [n, 2], or [n, 1 + 5L] self-normalized."""
        if rounds.q_logged is None or rounds.q_policy is None:
            raise lacking(self.name, "q_logged and q_policy")
        weight = self.seen(rounds).weight
        above = np.where(rounds.is_first_of_slate, 1.0, np.roll(weight, 1))
        correction, modeled = weight * (rounds.reward - rounds.q_logged), above * rounds.q_policy
        if self.self_normalized:
            columns = [np.ones(rounds.n), weight, correction, above, modeled]
            return np.column_stack([rounds.is_first_of_slate, by_slot(rounds, columns)])
        return np.column_stack([rounds.is_first_of_slate, correction + modeled])

    def value(self, sums: Floats) -> Floats:
        """Return the corrected model value per slate."""
        if not self.self_normalized:
            return ratio(sums[..., 1], sums[..., 0])
        rows, weight, correction, above, modeled = np.moveaxis(split_by_slot(sums, 5), -1, 0)
        earned = np.where(rows > 0, rows * (ratio(correction, weight) + ratio(modeled, above)), 0.0)
        return ratio(earned.sum(axis=-1), sums[..., 0])
