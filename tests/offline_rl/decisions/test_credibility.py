"""Bühlmann-Straub credibility against a published example, and on paper."""

import numpy as np
import pytest

from offline_rl.decisions.credibility import Known, between_variance, collective, credible

# Hachemeister 1975: mean claim and number of claims of five states in twelve quarters, and the variance of
# one claim; estimates as published with the R package actuar (Dutang, Goulet & Pigeon 2008).
WEIGHT = np.array([100155.0, 19895.0, 13735.0, 4152.0, 36110.0])
MEAN = np.array([2060.921, 1511.224, 1805.843, 1352.976, 1599.829])
WITHIN = 139120026.0
BETWEEN = 89638.73
PREMIUMS = [2055.165, 1523.706, 1793.444, 1442.967, 1603.285]
SHARES = [0.9847404, 0.9276352, 0.8984754, 0.7279092, 0.9587911]


def test_claims_of_five_states_are_those_of_the_paper() -> None:
    between = between_variance(WEIGHT[:, None], MEAN[:, None], WITHIN)
    everyone = collective(WEIGHT, MEAN, between=between, within=WITHIN)
    found = credible(WEIGHT, MEAN, Known(everyone.mean, np.asarray(between)), WITHIN)

    assert between == pytest.approx(BETWEEN, rel=1e-4)
    assert everyone.mean == pytest.approx(1683.713, rel=1e-5)
    assert found.mean.tolist() == pytest.approx(PREMIUMS, rel=1e-5)
    assert (1 - found.variance / between).tolist() == pytest.approx(SHARES, rel=1e-4)


def test_groups_that_differ_by_chance_alone_have_no_variance_between_them() -> None:
    # 2 * (1^2 + 1^2) = 4 is less than the 5 that one degree of freedom brings by chance
    weight, mean = np.array([[2.0], [2.0]]), np.array([[9.0], [11.0]])

    assert between_variance(weight, mean, 5.0) == 0.0
    # and 3 more than the 1 that is due, over 4 less 8 / 4
    assert between_variance(weight, mean, 1.0) == pytest.approx(1.5)


def test_columns_are_compared_inside_and_share_one_variance() -> None:
    weight = np.array([[2.0, 2.0], [2.0, 0.0]])
    mean = np.array([[9.0, 500.0], [11.0, 0.0]])

    # the second column has one group, and adds nothing: (4 - 1) / 2
    assert between_variance(weight, mean, 1.0) == pytest.approx(1.5)
    assert between_variance(weight[:, 1:], mean[:, 1:], 1.0) == 0.0


def test_without_weight_the_prior_stands_and_without_variance_too() -> None:
    prior = Known(np.asarray(5.0), np.asarray(2.0))
    found = credible(np.array([0.0, 1.0]), np.array([0.0, 8.0]), prior, 1.0)
    assert found.mean.tolist() == pytest.approx([5.0, 7.0])
    assert found.variance.tolist() == pytest.approx([2.0, 2.0 / 3.0])

    fixed = credible(np.array([3.0]), np.array([8.0]), Known(np.asarray(5.0), np.asarray(0.0)), 0.0)
    assert (fixed.mean.item(), fixed.variance.item()) == (5.0, 0.0)
    assert collective(np.array([1.0, 3.0]), np.array([4.0, 8.0]), between=0.0, within=0.0).mean == 7.0
