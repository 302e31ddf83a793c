"""Segment estimates: one number per segment with its resamples, for pooling and tests."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.policy_value import WHOLE_LOG
from offline_rl.ope.records import Floats, Ints
from offline_rl.ope.trust.contribution_tail import tail_doubts
from offline_rl.ope.trust.diagnostics import Diagnostics

PRIOR_FREEDOM = 30.0
"""Degrees of freedom at which a segment's own variance counts as much as that of all segments."""


@dataclass(frozen=True, eq=False)
class SegmentEstimates:
    """Estimates of G segments, each with B resamples that all segments share.

    | field | shape | meaning |
    |---|---|---|
    | segments | [G] | indices as logged |
    | value | [G] | estimate in the reward's unit per round; NaN where not identified |
    | resampled | [G, B] | the same of each resample |
    | n_clusters | [G] | clusters of the segment, among which resamples draw |
    | n_informative | [G] | those with a reward that matters and is not the usual one |

    doubted: segments whose contributions the gate would doubt (`tail_doubts`), such as one with a single
    large order. Neither their value nor their variance says anything: they are neither pooled nor tested.
    """

    segments: tuple[int, ...]
    value: Floats
    resampled: Floats
    n_clusters: Ints
    n_informative: Ints
    doubted: tuple[int, ...] = ()

    @property
    def is_sound(self) -> NDArray[np.bool_]:
        """Segments that are identified and not doubted, shape [G]."""
        return self.is_identified & ~np.isin(np.array(self.segments, dtype=np.int64), self.doubted)

    @property
    def is_identified(self) -> NDArray[np.bool_]:
        """Segments with a value and at least two resamples that have one, shape [G]."""
        resamples: Ints = np.isfinite(self.resampled).sum(axis=1)
        identified: NDArray[np.bool_] = np.isfinite(self.value) & (resamples > 1)
        return identified

    def select(self, chosen: NDArray[np.bool_]) -> Self:
        """Return the segments where a mask [G] is true."""
        places = np.flatnonzero(chosen)
        return type(self)(
            segments=tuple(self.segments[place] for place in places),
            value=self.value[places],
            resampled=self.resampled[places],
            n_clusters=self.n_clusters[places],
            n_informative=self.n_informative[places],
            doubted=self.doubted,
        )

    def sampling_variance(self) -> Floats:
        """Return the sampling variance of each estimate, drawn towards that of all segments, shape [G].

        u_g = n_g var(resamples of g) is the variance per cluster, ν_g its degrees of freedom, ū the mean of
        all u weighted by ν; the result is (ν_g u_g + 30 ū) / (ν_g + 30) / n_g.

        In a segment with few clicks the variance is small just when the estimate is, and nil without a click.
        Taken at face value such a segment would count as known for certain, and pull the mean of all towards
        itself. Small area statistics therefore smooths variances (Rivest & Vandal 2003; You & Chapman 2006).
        """
        unit = self.n_clusters * np.nanvar(self.resampled, axis=1)
        freedom = self.degrees_of_freedom()
        common = float(np.average(unit, weights=freedom))
        smoothed: Floats = (freedom * unit + PRIOR_FREEDOM * common) / (freedom + PRIOR_FREEDOM)
        return smoothed / self.n_clusters

    def degrees_of_freedom(self) -> Floats:
        """Return the degrees of freedom of each variance, ν_g = 2 n_g / (κ + 2), shape [G].

        κ is the excess kurtosis of one cluster's contribution, one for all segments, nil where it would be
        below. With a click in a share p of all rounds it is about 1 / p, and ν twice the number of clicks;
        where few of the clicks carry much weight it is far fewer. Noise of the resamples can pass for a tail:
        with 1,000 of them and 60 segments ν may come out near 100 where it is more, which errs on the safe
        side.

        Source: Satterthwaite 1946: the variance of a variance, (κ + 2) σ⁴ / n, is set equal to that of a χ².
        """
        kurtosis = max(self._common(4, power=1.0), 0.0)
        freedom: Floats = 2 * self.n_clusters / (kurtosis + 2)
        return freedom

    def skewness(self) -> Floats:
        """Return the skewness of each estimate's distribution, γ / √n_g with one γ for all, shape [G].

        A thousand resamples know the skewness of one segment to ±0.08 only, which is too much noise far out
        in a tail; sixty segments together know it to ±0.01.
        """
        skewness: Floats = self._common(3, power=0.5) / np.sqrt(self.n_clusters)
        return skewness

    def _common(self, moment: int, power: float) -> float:
        """Return c for which c / n_g^power fits a standardized cumulant of the resamples by least squares."""
        spread = np.nanstd(self.resampled, axis=1, keepdims=True)
        varies = spread[:, 0] > 0
        if not varies.any():
            return 0.0
        centered = self.resampled - np.nanmean(self.resampled, axis=1, keepdims=True)
        moments = np.nanmean((centered[varies] / spread[varies]) ** moment, axis=1)
        cumulants = moments - 3 if moment == 4 else moments
        slope = self.n_clusters[varies] ** -power
        return float(slope @ cumulants) / float(slope @ slope)


def segment_values(evaluation: Evaluation, policy: str, estimator: str) -> SegmentEstimates:
    """Return the value of a policy in every segment.

    Raises ValueError for a name that was not evaluated.
    """
    p, e = _place(evaluation.policies, policy), _estimator(evaluation, estimator)
    return _by_segment(evaluation, evaluation.values[p, e], evaluation.resampled[p, e], (policy,), estimator)


def segment_differences(evaluation: Evaluation, policy: str, other: str, estimator: str) -> SegmentEstimates:
    """Return the value of a policy less that of another in every segment, on the same resamples.

    Raises ValueError for a name that was not evaluated.
    """
    p, o = _place(evaluation.policies, policy), _place(evaluation.policies, other)
    e = _estimator(evaluation, estimator)
    return _by_segment(
        evaluation,
        evaluation.values[p, e] - evaluation.values[o, e],
        evaluation.resampled[p, e] - evaluation.resampled[o, e],
        (policy, other),
        estimator,
    )


def _by_segment(
    evaluation: Evaluation, value: Floats, resampled: Floats, policies: tuple[str, ...], estimator: str
) -> SegmentEstimates:
    places = [place for place, segment in enumerate(evaluation.segments) if segment is not WHOLE_LOG]
    segments = tuple(segment for segment in evaluation.segments if segment is not WHOLE_LOG)
    diagnostics = [[evaluation.diagnostics_of(policy, g) for g in segments] for policy in policies]
    return SegmentEstimates(
        segments=segments,
        value=value[places],
        resampled=resampled[places],
        n_clusters=np.array([d.n_clusters for d in diagnostics[0]], dtype=np.int64),
        # A difference rests on the rewards that both policies can speak of.
        n_informative=np.array([[d.n_informative_clusters for d in row] for row in diagnostics]).min(axis=0),
        doubted=tuple(
            segment
            for place, segment in enumerate(segments)
            if any(_is_doubted(row[place], estimator) for row in diagnostics)
        ),
    )


def _is_doubted(diagnostics: Diagnostics, estimator: str) -> bool:
    tail = diagnostics.contributions(estimator)
    return tail is not None and bool(tail_doubts(tail))


def _estimator(evaluation: Evaluation, name: str) -> int:
    return _place(tuple(estimator.name for estimator in evaluation.estimators), name)


def _place(names: tuple[str, ...], name: str) -> int:
    if name not in names:
        raise ValueError(f"{name!r} was not evaluated. Evaluated were {', '.join(names)}.")
    return names.index(name)
