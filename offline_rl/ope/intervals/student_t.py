"""The two-sided Student t interval."""

from scipy.special import stdtrit

from offline_rl.ope.bootstrap import Interval


def student_t_interval(value: float, standard_error: float, n_clusters: int, confidence: float) -> Interval:
    """Return V ± t SE, t the (1 + confidence) / 2 quantile of Student's t, n_clusters − 1 degrees of freedom.

    Both tails share what the confidence leaves: at 95 % the quantile is that of 0.975. With that of 0.95, an
    error others make, the interval covers 90 %. NaN for one cluster. Symmetric, hence too low for rewards
    whose weights are heavy-tailed.

    Raises ValueError unless 0 < confidence < 1. Source: Student 1908.

    >>> interval = student_t_interval(10.0, 1.0, n_clusters=11, confidence=0.95)
    >>> round(interval.lower, 3), round(interval.upper, 3)
    (7.772, 12.228)
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence:g}: give a share between 0 and 1, such as 0.95.")
    if n_clusters < 2:
        return Interval(float("nan"), float("nan"))
    half = float(stdtrit(n_clusters - 1, (1 + confidence) / 2)) * standard_error
    return Interval(value - half, value + half)
