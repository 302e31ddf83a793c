"""Time windows: support, query and holdout, with a gap as long as rewards take to arrive.

The boundaries are the same times for every segment. With separate boundaries, the pooled part of a model
could learn from a Tuesday in one segment, and then be evaluated on the Monday before in another.

A rolling origin is a time at which a policy is learned from all rounds before it, and evaluated on the rounds
up to the next origin. The last origin is the start of the holdout; two earlier ones are the support's median
and the start of the query, so that a gate can evaluate a learner on three quarters of a log instead of one.
Source: Tashman 2000, "Out-of-sample tests of forecasting accuracy", on rolling origins.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from features.codes import LATE, Window


@dataclass(frozen=True)
class Boundaries:
    """Support ends at support_until, query at query_until, holdout at closed_at.

    gap: the attribution window; query and holdout begin one gap after the end of the window before.
    """

    support_until: datetime
    query_until: datetime
    closed_at: datetime
    gap: timedelta


def night_end(as_of: date) -> datetime:
    """Return the first instant after the night's last day, in UTC."""
    return datetime.combine(as_of + timedelta(days=1), time(), UTC)


def fit_boundaries(
    decided_at: pl.Series, as_of: date, gap: timedelta, support_share: float, query_share: float
) -> Boundaries:
    """Place the boundaries at shares of the rounds whose reward window closes within the night.

    decided_at: UTC times of the rounds, at least one with a closed reward window.
    Raises ValueError if no round is old enough for its reward to be known.
    """
    closed_at = night_end(as_of) - gap
    mature = decided_at.filter(decided_at < closed_at).sort()
    if mature.is_empty():
        raise ValueError(
            f"No round is older than the attribution window of {gap} at the end of {as_of}: "
            "no reward is known yet. Give more days of logs, or reduce night.attribution_hours."
        )
    first_query = round(len(mature) * support_share)
    first_holdout = round(len(mature) * (support_share + query_share))
    last = len(mature) - 1
    return Boundaries(mature[min(first_query, last)], mature[min(first_holdout, last)], closed_at, gap)


def assign_windows(decided_at: pl.Series, boundaries: Boundaries) -> pl.Series:
    """Return each round's Window as Int8."""
    at = pl.col("at")
    window = (
        pl.when(at < boundaries.support_until)
        .then(Window.SUPPORT)
        .when((at >= boundaries.support_until + boundaries.gap) & (at < boundaries.query_until))
        .then(Window.QUERY)
        .when((at >= boundaries.query_until + boundaries.gap) & (at < boundaries.closed_at))
        .then(Window.HOLDOUT)
        .when(at >= boundaries.closed_at)
        .then(Window.OPEN)
        .otherwise(Window.GAP)
    )
    return decided_at.to_frame("at").select(window.cast(pl.Int8).alias("window")).to_series()


def assign_origins(decided_at: pl.Series, windows: pl.Series, gap: timedelta) -> pl.Series:
    """Return the rolling origin that each round is evaluated from, as Int8.

    1 for the later half of the support window, 2 for the query window, 3 for the holdout; 0 for the earlier
    half of support, on which nothing is evaluated, and LATE within a gap after an origin. windows: see
    `Window`.
    """
    is_support = pl.col("window") == Window.SUPPORT
    in_order = pl.col("at").filter(is_support).sort()
    opens = in_order.get(in_order.len() // 2, null_on_oob=True)
    origin = (
        pl.when(is_support & (pl.col("at") < opens))
        .then(0)
        .when(is_support & (pl.col("at") >= opens + gap))
        .then(1)
        .when(pl.col("window") == Window.QUERY)
        .then(2)
        .when(pl.col("window") == Window.HOLDOUT)
        .then(3)
        .otherwise(LATE)
    )
    frame = pl.DataFrame({"at": decided_at, "window": windows})
    return frame.select(origin.cast(pl.Int8).alias("origin")).to_series()
