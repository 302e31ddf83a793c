"""out_segment_tasks: what each segment brought, and what became of the ones that were too small."""

import polars as pl

from features.codes import Window
from features.contracts.outputs import SegmentTasks
from features.tasks.build import DomainTasks


def segment_table(tasks: DomainTasks, run_id: str, min_rounds: int) -> pl.DataFrame:
    """Return one row per segment and per trait combination that was merged away."""
    in_window = {
        "n_support": pl.col("window") == Window.SUPPORT,
        "n_query": pl.col("window") == Window.QUERY,
        "n_holdout": pl.col("window") == Window.HOLDOUT,
    }
    counted = tasks.evidence.group_by("segment_id").agg(
        *(condition.sum().alias(name) for name, condition in in_window.items()),
        pl.coalesce("user_key", "round_id").n_unique().alias("n_users"),
    )
    splits = pl.DataFrame(
        {"segment_id": list(tasks.splits), "split": list(tasks.splits.values())},
        schema={"segment_id": pl.String, "split": pl.String},
    )
    used = counted.join(splits, on="segment_id", how="left").with_columns(
        pl.when(pl.col("split").is_null())
        .then(pl.lit("pooled_only"))
        .otherwise(pl.lit("used"))
        .alias("status"),
        pl.when(pl.col("split").is_null())
        .then(pl.lit(f"Fewer than {min_rounds} rounds before the holdout: served by the pooled policy."))
        .otherwise(pl.lit("A task of its own."))
        .alias("reason"),
    )
    merged = pl.DataFrame(
        [
            {"segment_id": merge.segment_id, "n_support": merge.n_rounds, "reason": merge.reason}
            for merge in tasks.segmentation.merges
        ],
        schema={"segment_id": pl.String, "n_support": pl.Int64, "reason": pl.String},
    ).with_columns(pl.lit("merged").alias("status"))
    both = pl.concat([used, merged], how="diagonal_relaxed").with_columns(
        pl.lit(run_id).alias("run_id"),
        pl.lit(tasks.domain).alias("domain"),
        pl.lit(tasks.boundaries.support_until).alias("support_until"),
        pl.lit(tasks.boundaries.query_until).alias("query_until"),
        pl.col("n_query", "n_holdout", "n_users").fill_null(0),
    )
    return SegmentTasks.validate(
        both.select(SegmentTasks.column_names()).sort("domain", "status", "segment_id"), cast=True
    )
