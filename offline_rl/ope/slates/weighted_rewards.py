"""Weighted rewards summed over slates: plain, normalized once for the slate, or normalized slot by slot."""

import numpy as np

from offline_rl.ope.records import Floats
from offline_rl.ope.slates.records import SlateRounds
from offline_rl.ope.sums import ratio


def per_slate_terms(rounds: SlateRounds, weight: Floats) -> Floats:
    """Return slates (1 in the first row of each) and weighted reward, shape [n, 2]: Σ w r / slates."""
    return np.column_stack([rounds.is_first_of_slate, weight * rounds.reward])


def normalized_terms(rounds: SlateRounds, slate_weight: Floats) -> Floats:
    """Return the slate's weight, once per slate, and weighted reward, shape [n, 2]: Σ w r / Σ w."""
    return np.column_stack([rounds.is_first_of_slate * slate_weight, slate_weight * rounds.reward])


def slot_normalized_terms(rounds: SlateRounds, weight: Floats) -> Floats:
    """Return slates; then for each slot its rows, its weight and its weighted reward; shape [n, 1 + 3L]."""
    return np.column_stack(
        [rounds.is_first_of_slate, by_slot(rounds, [np.ones(rounds.n), weight, weight * rounds.reward])]
    )


def slot_normalized_value(sums: Floats) -> Floats:
    """Return Σ_l (n_l / n) (Σ w_l r_l / Σ w_l) of sums [..., 1 + 3L], n_l being the slates that have slot l.

    NaN where a slot that occurs has no weight. Slots that never occur earn nothing.

    Two slates of two slots: 3 per unit of weight in the first slot, 1 in the second.

    >>> float(slot_normalized_value(np.array([2.0, 2.0, 1.0, 3.0, 2.0, 4.0, 4.0])))
    4.0
    """
    slates = sums[..., 0]
    rows, weight, weighted = np.moveaxis(split_by_slot(sums, 3), -1, 0)
    earned = np.where(rows > 0, rows * ratio(weighted, weight), 0.0)
    return ratio(earned.sum(axis=-1), slates)


def by_slot(rounds: SlateRounds, columns: list[Floats]) -> Floats:
    """Return columns [n] written in the block of their row's slot, 0 elsewhere; shape [n, L·c]."""
    blocks = np.zeros((rounds.n, rounds.n_slots, len(columns)))
    blocks[np.arange(rounds.n), rounds.slot] = np.column_stack(columns)
    return blocks.reshape(rounds.n, rounds.n_slots * len(columns))


def split_by_slot(sums: Floats, n_columns: int) -> Floats:
    """Return sums [..., 1 + L·c] without the leading count, as [..., L, c]."""
    return sums[..., 1:].reshape(*sums.shape[:-1], -1, n_columns)
