"""Time windows: support, query and holdout, with a gap as long as rewards take to arrive.

The boundaries are the same instants for every segment. A boundary of its own per segment would let the
pooled part of a model learn from a Tuesday in one segment what it is judged on for the Monday in another.

A rolling origin is an instant at which a policy is learned from all rounds before it and judged on those from
it to the next one. The holdout has the last of them; the support's median and the query window have two
earlier ones, so that a gate can judge a way of learning on three quarters of a log instead of one.
Source: Tashman 2000, "Out-of-sample tests of forecasting accuracy", on rolling origins.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from features.codes import LATE, Window


@dataclass(frozen=True)
class Boundaries:
    """Support ends at support_until, query at query_until, holdout at closed_at.

    gap: the attribution window; query and holdout open one gap after their predecessor has ended.
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
            "no reward is known yet. Give more days of logs or a shorter night.attribution_hours."
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
        .otherwise(Window.GAP)
    )
    return decided_at.to_frame("at").select(window.cast(pl.Int8).alias("window")).to_series()


def assign_origins(decided_at: pl.Series, windows: pl.Series, gap: timedelta) -> pl.Series:
    """Return the rolling origin from which each round is judged, as Int8.

    1 for the later half of the support window, 2 for the query window, 3 for the holdout; 0 for the earlier
    half of support, which judges nothing, and LATE within a gap after an origin. windows: see `Window`.
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
