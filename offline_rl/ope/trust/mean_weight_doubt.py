"""Doubt from a mean weight that is not what it should be."""

from math import isnan

from features.contracts.findings import Finding, finding
from offline_rl.ope.bootstrap import Interval


def mean_weight_is_off(mean_weight: Interval, supported_share: float, slack: float) -> bool:
    """Return whether an interval of the mean weight lies beside the supported share by more than a slack.

    Without an interval, as from one cluster, nothing is known to be off.

    >>> mean_weight_is_off(Interval(0.90, 0.97), 1.0, slack=0.005)
    True
    """
    if isnan(mean_weight.lower) or isnan(mean_weight.upper):
        return False
    return not mean_weight.lower - slack <= supported_share <= mean_weight.upper + slack


def mean_weight_doubt(
    policy: str, value: float, mean_weight: Interval, supported_share: float, confidence: float
) -> Finding:
    """Return the doubt about a policy, with how many correct logs there are to one that is off by chance.

    Chance is the first of its causes: the weights of correct propensities average to 1 over many logs, and
    not in each. With several candidates, one that is off by chance is more likely.

    >>> mean_weight_doubt("new", 0.94, Interval(0.9, 0.97), 1.0, 0.99).numbers["logs_per_alarm"]
    100
    """
    return finding(
        "mean_weight_off",
        policy,
        mean_weight=value,
        lower=mean_weight.lower,
        upper=mean_weight.upper,
        confidence=confidence,
        logs_per_alarm=round(1 / (1 - confidence)),
        supported_share=supported_share,
    )
