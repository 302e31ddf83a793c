"""The pseudo-inverse estimator: a slate's reward is a sum of unknown contributions of items in slots."""

from dataclasses import dataclass

import numpy as np

from offline_rl.ope.records import Floats, Ints
from offline_rl.ope.slates.records import SlateRounds, lacking
from offline_rl.ope.slates.weighted_rewards import normalized_terms, per_slate_terms
from offline_rl.ope.sums import ratio


@dataclass(frozen=True)
class PseudoInverse:
    """Pseudo-inverse estimator, V = (1/n) Σ_i w_i Σ_l r_il, w = q_e(x)ᵀ Γ_b(x)⁺ 1_a.

    Looks at the slate's total only, and is unbiased where its expectation is linear, Σ_l φ_x(a_l, l). Slots
    may sway each other's rewards as long as the total stays such a sum. Weights may be negative. Under a
    logging policy that fills slots independently they are 1 − L + Σ_l π_e(a_l∣x) / π_b(a_l∣x): they grow with
    L, not exponentially. Self-normalized: Σ w r / Σ w, the paper's weighted variant.

    Terms: 1 (w if self-normalized) per slate, w r.
    Source: Swaminathan et al. 2017, "Off-policy evaluation for slate recommendation" (NIPS).
    """

    self_normalized: bool = False

    @property
    def name(self) -> str:
        """`pi` or `snpi`."""
        return "snpi" if self.self_normalized else "pi"

    def weight(self, rounds: SlateRounds) -> Floats:
        """Pseudo-inverse weight of the slate."""
        if rounds.pseudo_inverse_weight is None:
            raise lacking(self.name, "pseudo_inverse_weight")
        return rounds.pseudo_inverse_weight

    def terms(self, rounds: SlateRounds) -> Floats:
        """Slates or their weight, and weighted reward, shape [n, 2]."""
        make = normalized_terms if self.self_normalized else per_slate_terms
        return make(rounds, self.weight(rounds))

    def value(self, sums: Floats) -> Floats:
        """Weighted reward per slate, or per unit of slate weight."""
        return ratio(sums[..., 1], sums[..., 0])


def slate_moments(slates: Ints, probability: Floats, n_items: int) -> Floats:
    """Γ = E[1_a 1_aᵀ], shape [L·A, L·A], of S slates [S, L] with given probabilities [S] in one context.

    1_a has a one at l·A + a_l for every slot l, and none for an empty slot (item −1). The diagonal holds the
    marginals, so the same function serves both policies. For a policy that can only be sampled give its draws
    with equal probabilities; the weights then carry the sampling error.

    Memory grows with (L·A)², the inversion's time with (L·A)³, per context: for few items or few contexts.

    One slot, two items:

    >>> slate_moments(np.array([[0], [1]]), np.array([0.25, 0.75]), n_items=2).tolist()
    [[0.25, 0.0], [0.0, 0.75]]
    """
    shown = _indicators(slates, n_items)
    return (shown * probability[:, None]).T @ shown


def pseudo_inverse_weights(slates: Ints, logging: Floats, marginals: Floats) -> Floats:
    """w = qᵀ Γ⁺ 1_a of logged slates [n, L] of one context, shape [n].

    logging: Γ of the logging policy [L·A, L·A]; marginals: P(a_l = a) under the evaluation policy [L, A].

    Raises ValueError where the log can't speak about the evaluation policy: q outside the range of Γ.

    >>> logging = slate_moments(np.array([[0], [1]]), np.array([0.25, 0.75]), n_items=2)
    >>> pseudo_inverse_weights(np.array([[0], [1]]), logging, np.array([[0.5, 0.5]])).round(3).tolist()
    [2.0, 0.667]
    """
    target = marginals.reshape(-1)
    coefficients = np.linalg.pinv(logging, rcond=1e-9, hermitian=True) @ target
    missed = np.abs(logging @ coefficients - target)
    if missed.max(initial=0.0) > 1e-6:
        slot, item = divmod(int(missed.argmax()), marginals.shape[1])
        raise ValueError(
            f"the log can't speak about item {item} in slot {slot} as the evaluation policy shows it: logged "
            "slates do not span that policy's. Log with more exploration, or evaluate a nearer policy."
        )
    return _indicators(slates, marginals.shape[1]) @ coefficients


def _indicators(slates: Ints, n_items: int) -> Floats:
    n, n_slots = slates.shape
    shown = np.zeros((n, n_slots, n_items))
    row, slot = np.nonzero(slates >= 0)
    shown[row, slot, slates[row, slot]] = 1.0
    return shown.reshape(n, -1)
