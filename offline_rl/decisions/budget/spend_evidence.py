"""How much the log of a cell can say about spending more or less there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offline_rl.decisions.budget.log_weeks import on_each_day, sums_of_weeks

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class SpendEvidence:
    """Evidence behind each cell's curve, [cells].

    ess: independent days of spend. spread: standard deviation over mean of the daily spend within weeks, days
    with spend: what rises or falls from week to week can't be separated from time.
    max_supported_cents: highest spend of a single logged day; beyond it the curve is extrapolation.
    """

    ess: Array
    spread: Array
    max_supported_cents: Index


def spend_evidence(spend: Array, residual: Array, channel: Index) -> SpendEvidence:
    """Measure the evidence of each cell.

    ess = (sum x)^2 / sum x^2 · (1 - r) / (1 + r)

    The first factor is Kish's effective number: 30 days of which one holds all the money count as one day.
    r is the correlation of a day's residual with the next day's, pooled over the channel and at least 0:
    days that repeat each other are fewer days.

    spend: cents, [cells, days]. residual: of the fitted curves, 0 on days without spend.

    >>> spend = np.array([[100.0, 100.0, 0.0, 100.0], [5.0, 0.0, 0.0, 0.0]])
    >>> evidence = spend_evidence(spend, np.zeros((2, 4)), np.array([0, 0]))
    >>> evidence.ess.tolist(), evidence.spread.tolist(), evidence.max_supported_cents.tolist()
    ([3.0, 1.0], [0.0, 0.0], [100, 5])
    """
    total, squares, days = spend.sum(1), np.square(spend).sum(1), (spend > 0).sum(1)
    kish = np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0)
    follows = np.bincount(channel, (residual[:, 1:] * residual[:, :-1]).sum(1))
    alone = np.bincount(channel, np.square(residual).sum(1))
    r = np.divide(follows, alone, out=np.zeros_like(alone), where=alone > 0).clip(0.0, 0.99)[channel]
    # From deviations: mean square less squared mean would leave rounding where spend is constant.
    is_spent = spend > 0
    active = sums_of_weeks(is_spent.astype(np.float64))
    of_week = np.divide(sums_of_weeks(spend), active, out=np.zeros_like(active), where=active > 0)
    deviation = np.where(is_spent, spend - on_each_day(of_week, spend.shape[1]), 0.0)
    variance = np.square(deviation).sum(1) / np.maximum(days, 1)
    mean = total / np.maximum(days, 1)
    return SpendEvidence(
        ess=kish * (1.0 - r) / (1.0 + r),
        spread=np.divide(np.sqrt(variance), mean, out=np.zeros_like(mean), where=mean > 0),
        max_supported_cents=spend.max(1, initial=0.0).astype(np.int64),
    )
