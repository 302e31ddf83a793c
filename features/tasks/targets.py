"""Targets: who gets a decision tomorrow, and in which context.

A shop with users decides per user and surface, in the context of the user's last round. A log without
users decides per segment and surface: the segment's recent contexts are averaged over, so its row is what
a random visitor of the segment would be served.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from features.context import Encoder, Matrix

# Enough contexts to average over; more would only repeat them.
CONTEXTS_PER_SEGMENT = 200


@dataclass(frozen=True)
class Targets:
    """rows: user_key, segment_id, surface, campaign_id, one per target, sorted.

    context: float32[m, d]; target_of_context: int64[m], the row of `rows` that a context belongs to.
    """

    rows: pl.DataFrame
    context: Matrix
    target_of_context: np.ndarray[tuple[int], np.dtype[np.int64]]


def find_targets(rounds: pl.DataFrame, encoder: Encoder) -> Targets:
    """Choose the targets among the rounds (user_key, segment_id, surface, campaign_id, decided_at, ...)."""
    place = ["surface", "campaign_id"]
    by_user = rounds["user_key"].null_count() == 0
    latest = (
        rounds.with_columns(pl.col("campaign_id").fill_null(""))
        .with_columns(pl.col("user_key") if by_user else pl.col("segment_id").alias("user_key"))
        .sort("decided_at", "round_id")
        .group_by("user_key", *place, *([] if by_user else ["segment_id"]), maintain_order=True)
        .tail(1 if by_user else CONTEXTS_PER_SEGMENT)
        .sort("user_key", *place, "segment_id", maintain_order=True)
    )
    keys = ["user_key", "segment_id", *place]
    rows = latest.select(keys).unique(maintain_order=True)
    belongs = latest.select(keys).join(rows.with_row_index("target"), on=keys, maintain_order="left")
    return Targets(rows, encoder.encode(latest), belongs["target"].to_numpy().astype(np.int64))
