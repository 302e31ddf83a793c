"""Bühlmann-Straub credibility: means of groups, shrunk by how much groups differ and how large each is.

    x_g = observed mean of group g with weight w_g,   E[x_g | mu_g] = mu_g,   Var[x_g | mu_g] = s2 / w_g
    mu_g ~ (m, a):   best linear estimate  Z_g x_g + (1 - Z_g) m,   Z_g = w_g / (w_g + s2 / a)

With normal errors it is the posterior of the normal-normal model, of variance a (1 - Z_g).
Source: Bühlmann & Straub 1970, "Glaubwürdigkeit für Schadensätze"; Bühlmann & Gisler 2005, chapter 4.
"""

from dataclasses import dataclass

import numpy as np

from offline_rl.ope.records import Floats


@dataclass(frozen=True)
class Known:
    """Mean and variance of what is known of rates or means."""

    mean: Floats
    variance: Floats


def between_variance(weight: Floats, mean: Floats, within: Floats | float) -> float:
    """Estimate a, the variance of true means between groups, by moments; 0 where they differ by chance alone.

        a = max(0, sum over columns of [sum_g w_g (x_g - x)^2 - (G - 1) s2] / [w - sum_g w_g^2 / w])

    weight, mean: float64 [groups, columns]; the groups of a column are compared with each other, and all
    columns have one a. Groups of weight 0 don't count. within: s2 of one unit of weight, for all or of each
    column.
    """
    total = weight.sum(0)
    positive = np.where(total > 0, total, 1.0)
    centre = (weight * mean).sum(0) / positive
    groups = np.maximum((weight > 0).sum(0), 1)
    excess = (weight * (mean - centre) ** 2).sum() - ((groups - 1) * within).sum()
    comparable = (total - (weight**2).sum(0) / positive).sum()
    return max(0.0, float(excess / comparable)) if comparable > 0 else 0.0


def credible(weight: Floats, mean: Floats, prior: Known, within: Floats | float) -> Known:
    """Return what is known of each group; where its weight is 0, what was known before.

    prior, within: one for all groups or one each. The mean of a group of weight 0 may be any finite number.
    """
    spread = np.broadcast_to(prior.variance, weight.shape)
    uncertain = spread * weight + within
    # Where nothing varies, neither groups nor what is seen of them, the prior says all.
    share = np.divide(spread * weight, uncertain, out=np.zeros(weight.shape), where=uncertain > 0)
    return Known(share * mean + (1.0 - share) * prior.mean, spread * (1.0 - share))


def collective(weight: Floats, mean: Floats, *, between: float, within: Floats | float) -> Known:
    """Return m, the mean of all groups by the precision of each, and its variance; weights are above 0."""
    uncertain = between * weight + within
    if not uncertain.all():
        # What varies neither between nor within groups is known exactly.
        exact = np.where(uncertain == 0.0, weight, 0.0)
        return Known(np.asarray((exact * mean).sum() / exact.sum()), np.asarray(0.0))
    precision = weight / uncertain
    return Known(np.asarray((precision * mean).sum() / precision.sum()), np.asarray(1.0 / precision.sum()))
