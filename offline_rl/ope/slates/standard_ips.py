"""Standard IPS: the whole slate is the action."""

from dataclasses import dataclass
from typing import ClassVar

from offline_rl.ope.records import Floats
from offline_rl.ope.slates.records import Propensities, SlateRounds
from offline_rl.ope.slates.weighted_rewards import normalized_terms, per_slate_terms
from offline_rl.ope.sums import ratio


@dataclass(frozen=True)
class StandardIPS:
    """Standard inverse propensity scoring of slates, V = (1/n) Σ_i w_i Σ_l r_il, w = π_e(a∣x) / π_b(a∣x).

    Assumes nothing about users: unbiased even where every item of the slate sways every slot. Its variance
    grows with the number of slates that could be shown, exponentially in L. Self-normalized: Σ w r / Σ w, w
    counted once per slate.

    Terms: 1 (w if self-normalized) per slate, w r. Source: Precup, Sutton & Singh 2000; as a slate estimator
    McInerney et al. 2020, "Counterfactual evaluation of slate recommendations with sequential reward
    interactions".
    """

    self_normalized: bool = False
    rests_on_model: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """`sips` or `snsips`."""
        return "snsips" if self.self_normalized else "sips"

    def seen(self, rounds: SlateRounds) -> Propensities:
        """Return the probabilities of the whole slate."""
        return rounds.of_slate(self.name)

    def terms(self, rounds: SlateRounds) -> Floats:
        """Return slates or their weight, and weighted reward, shape [n, 2]."""
        make = normalized_terms if self.self_normalized else per_slate_terms
        return make(rounds, self.seen(rounds).weight)

    def value(self, sums: Floats) -> Floats:
        """Return the weighted reward per slate, or per unit of slate weight."""
        return ratio(sums[..., 1], sums[..., 0])
