"""The tables out_learner_comparisons and out_adaptation_curves: learners on unseen segments."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import polars as pl

from features.contracts.outputs import AdaptationCurves, LearnerComparisons
from offline_rl.comparison.curves import AdaptationPoint
from offline_rl.comparison.paired import Comparison


def comparison_table(comparisons: Sequence[Comparison], key: Mapping[str, str]) -> pl.DataFrame:
    """Return the table of the comparisons of one domain; key: run_id and domain."""
    rows = [{**key, **asdict(comparison)} for comparison in comparisons]
    frame = pl.DataFrame(rows, infer_schema_length=None) if rows else LearnerComparisons.create_empty()
    return LearnerComparisons.validate(frame.select(LearnerComparisons.column_names()), cast=True)


def curve_table(points: Sequence[AdaptationPoint], key: Mapping[str, str]) -> pl.DataFrame:
    """Return the table of the points of one domain's curves; key: run_id and domain."""
    rows = [{**key, **asdict(point)} for point in points]
    frame = pl.DataFrame(rows, infer_schema_length=None) if rows else AdaptationCurves.create_empty()
    return AdaptationCurves.validate(frame.select(AdaptationCurves.column_names()), cast=True)
