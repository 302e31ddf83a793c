"""Targets: the users or segments that get a decision tomorrow, with their contexts.

A shop with users decides per user and surface: in the request context of the user's last round there, with
the history at the end of the night, so that the results of that round count too. For a log without users the
decision is per segment and surface: an average over the segment's recent contexts, which is what a random
visitor of the segment would be served.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from features.context import Encoder, Matrix

# Enough contexts to average over; more would only repeat them.
CONTEXTS_PER_SEGMENT = 200

PLACE = ("surface", "campaign_id")


@dataclass(frozen=True)
class Targets:
    """The targets of a night.

    rows: user_key, segment_id, surface, campaign_id, one per target, sorted.

    context: float32[m, d]; target_of_context: int64[m], the row of `rows` that a context belongs to.
    user_of_context: String[m], the user of each context; null where unknown.
    described: what the encoder read of each context, m rows.
    """

    rows: pl.DataFrame
    context: Matrix
    target_of_context: np.ndarray[tuple[int], np.dtype[np.int64]]
    user_of_context: pl.Series
    described: pl.DataFrame


def latest_rounds(rounds: pl.DataFrame) -> pl.DataFrame:
    """Return the rounds whose request contexts are used as tomorrow's.

    The last one of each user, surface and campaign; in a log without users the last of each segment, surface
    and campaign, CONTEXTS_PER_SEGMENT of them.
    """
    by_user = has_users(rounds)
    return (
        rounds.with_columns(pl.col("campaign_id").fill_null(""))
        .sort("decided_at", "round_id")
        .group_by("user_key" if by_user else "segment_id", *PLACE, maintain_order=True)
        .tail(1 if by_user else CONTEXTS_PER_SEGMENT)
    )


def has_users(rounds: pl.DataFrame) -> bool:
    """Return whether every round has a user, so that decisions can be made for each user."""
    return rounds["user_key"].null_count() == 0


def with_history_of(latest: pl.DataFrame, snapshots: pl.DataFrame) -> pl.DataFrame:
    """Replace the history of each round by that of its user in the snapshots: user_key, history columns."""
    known = [column for column in snapshots.columns if column != "user_key"]
    return (
        latest.drop(known, strict=False)
        .join(snapshots, on="user_key", how="left", maintain_order="left")
        # tomorrow begins with a new visit
        .with_columns(n_rounds_in_session_before=pl.lit(0))
    )


def find_targets(latest: pl.DataFrame, encoder: Encoder) -> Targets:
    """Group tomorrow's contexts by the target they belong to.

    latest: user_key, segment_id, surface, campaign_id and what the encoder reads.
    """
    named = latest.with_columns(visitor=pl.col("user_key"))
    if not has_users(latest):
        named = named.with_columns(user_key=pl.col("segment_id"))
    ordered = named.sort("user_key", *PLACE, "segment_id", maintain_order=True)
    keys = ["user_key", "segment_id", *PLACE]
    rows = ordered.select(keys).unique(maintain_order=True)
    belongs = ordered.select(keys).join(rows.with_row_index("target"), on=keys, maintain_order="left")
    return Targets(
        rows=rows,
        context=encoder.encode(ordered),
        target_of_context=belongs["target"].to_numpy().astype(np.int64),
        user_of_context=ordered["visitor"].alias("user_key"),
        described=ordered,
    )
