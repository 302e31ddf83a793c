"""What a mean weight other than it should be says, and what it leaves open."""

from math import isnan

from offline_rl.ope.bootstrap import Interval


def mean_weight_is_off(mean_weight: Interval, supported_share: float, slack: float) -> bool:
    """Whether an interval of the mean weight lies beside the supported share by more than a slack.

    Without an interval, as from one cluster, nothing is known to be off.

    >>> mean_weight_is_off(Interval(0.90, 0.97), 1.0, slack=0.005)
    True
    """
    if isnan(mean_weight.lower) or isnan(mean_weight.upper):
        return False
    return not mean_weight.lower - slack <= supported_share <= mean_weight.upper + slack


def mean_weight_doubt(value: float, mean_weight: Interval, supported_share: float, confidence: float) -> str:
    """The doubt as a clause, with every cause that the number alone can't tell apart.

    Chance is the first of them: the weights of correct propensities average to 1 over many logs, and not in
    each. Where several candidates are looked at, one that is off is the more likely.

    >>> print(mean_weight_doubt(0.94, Interval(0.9, 0.97), 1.0, 0.99))
    its mean weight is 0.940 (99% interval 0.900 to 0.970) and should be 1.000, be it by chance, as in \
about 1 of 100 correct logs and in more where several candidates are looked at, or because the log \
hardly ever shows what it prefers, or because propensities or availability are wrong
    """
    return (
        f"its mean weight is {value:.3f} ({confidence:.0%} interval {mean_weight.lower:.3f} to "
        f"{mean_weight.upper:.3f}) and should be {supported_share:.3f}, be it by chance, as in about 1 of "
        f"{1 / (1 - confidence):.0f} correct logs and in more where several candidates are looked at, or "
        "because the log hardly ever shows what it prefers, or because propensities or availability are wrong"
    )
