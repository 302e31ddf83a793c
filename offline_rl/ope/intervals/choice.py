"""The intervals that any estimator has, by the names that callers use."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np

from features.contracts.findings import Finding, finding
from offline_rl.ope.bootstrap import Interval, percentile_interval
from offline_rl.ope.contrast import Contrast
from offline_rl.ope.intervals.bca import bca_interval
from offline_rl.ope.intervals.linearization import standard_error
from offline_rl.ope.intervals.student_t import student_t_interval
from offline_rl.ope.intervals.studentized import studentized_interval
from offline_rl.ope.records import Floats
from offline_rl.ope.summed_log import SummedLog

IntervalName = Literal["percentile", "bca", "studentized", "student_t"]

INTERVAL_NAMES: tuple[IntervalName, ...] = get_args(IntervalName)
"""Each is also the code of the finding that says how such an interval was made."""

FEW_CLUSTERS = 30
"""Clusters below which a bootstrap interval is widened to Student t with one degree of freedom less. Over two
clusters with normal effects BCa intervals of 95 % hold a difference in 54 % of logs, over ten in 89 %;
Student's in 95 % and more."""


def made_by(
    name: IntervalName, subject: str, clusters: str, n_clusters: int, n_resamples: int
) -> tuple[Finding, ...]:
    """Return how an interval of a subject is made; the first finding is its method.

    clusters: what the bootstrap draws, in the plural.

    >>> [found.code for found in made_by("bca", "new", "users", 4, 1000)]
    ['bca', 'widened_for_few_clusters']
    """
    if n_clusters < 2:
        return (Finding("no_interval", subject, {"clusters": clusters}),)
    if name == "student_t":
        return (Finding(name, subject, {"clusters": clusters}),)
    method = Finding(name, subject, {"clusters": clusters, "n_resamples": n_resamples})
    if n_clusters >= FEW_CLUSTERS:
        return (method,)
    return method, finding("widened_for_few_clusters", subject, n_clusters=n_clusters, clusters=clusters)


def check_interval_name(name: str) -> None:
    """Raise ValueError listing what exists unless an interval has this name.

    >>> check_interval_name("bca")
    """
    if name not in INTERVAL_NAMES:
        raise ValueError(f"no interval is called {name!r}. Known are {', '.join(INTERVAL_NAMES)}.")


@dataclass(frozen=True, eq=False)
class Replicated:
    """A value in one row of a log (`SummedLog`), with all that its interval may be made of.

    resampled: its values in the resamples, shape [B]. resampled_errors: computed only where needed.
    """

    log: SummedLog
    contrast: Contrast
    row: int
    value: float
    resampled: Floats
    resampled_errors: Callable[[], Floats]

    def interval(self, name: IntervalName, confidence: float) -> Interval:
        """Return the interval of that name; NaN if the value is not identified or the log has one cluster.

        From fewer than FEW_CLUSTERS it holds that of Student t too: a bootstrap can't draw what it never saw.
        """
        n_clusters = self.log.cells.n_clusters
        if np.isnan(self.value) or n_clusters < 2:
            return Interval(np.nan, np.nan)
        found = self._of_kind(name, confidence)
        if n_clusters >= FEW_CLUSTERS or np.isnan(self.standard_error):
            return found
        safe = student_t_interval(self.value, self.standard_error, n_clusters, confidence)
        return Interval(min(found.lower, safe.lower), max(found.upper, safe.upper), found.n_undefined)

    def _of_kind(self, name: IntervalName, confidence: float) -> Interval:
        match name:
            case "percentile":
                return percentile_interval(self.value, self.resampled, confidence)
            case "bca":
                return bca_interval(self.value, self.resampled, self.left_out, confidence)
            case "studentized":
                return studentized_interval(
                    self.value, self.standard_error, self.resampled, self.resampled_errors(), confidence
                )
            case "student_t":
                return student_t_interval(
                    self.value, self.standard_error, self.log.cells.n_clusters, confidence
                )

    @cached_property
    def left_out(self) -> Floats:
        """The value without each cluster of the row in turn, shape [C]: sums less those of the cluster."""
        _, of_cluster = self.log.clusters_of(self.row)
        return self.contrast.value(self.log.sums[self.row] - of_cluster)

    @cached_property
    def standard_error(self) -> float:
        """Standard error by linearization."""
        return standard_error(self.log, self.contrast, self.row)
