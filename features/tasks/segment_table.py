"""out_segment_tasks: what each segment brought, and what became of the ones that were too small."""

import polars as pl

from features.codes import Window
from features.contracts.findings import Finding, Say, finding, to_json
from features.contracts.outputs import SegmentTasks
from features.tasks.build import DomainTasks


def segment_table(tasks: DomainTasks, run_id: str, min_rounds: int, say: Say) -> pl.DataFrame:
    """Return one row per segment and per trait combination that was merged away; say: makes the sentences."""
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
    )
    merged = pl.DataFrame(
        [(merge.segment_id, merge.n_rounds) for merge in tasks.segmentation.merges],
        schema={"segment_id": pl.String, "n_support": pl.Int64},
        orient="row",
    ).with_columns(pl.lit("merged").alias("status"))
    both = pl.concat([used, merged], how="diagonal_relaxed").with_columns(
        pl.lit(run_id).alias("run_id"),
        pl.lit(tasks.domain).alias("domain"),
        pl.lit(tasks.boundaries.support_until).alias("support_until"),
        pl.lit(tasks.boundaries.query_until).alias("query_until"),
        pl.col("n_query", "n_holdout", "n_users").fill_null(0),
    )
    found = _findings(both, tasks, min_rounds)
    both = both.with_columns(
        pl.Series("reason", [say([why]) for why in found], dtype=pl.String),
        pl.Series("reason_code", [why.code for why in found], dtype=pl.String),
        pl.Series("findings", [to_json([why]) for why in found], dtype=pl.String),
    )
    return SegmentTasks.validate(
        both.select(SegmentTasks.column_names()).sort("domain", "status", "segment_id"), cast=True
    )


def _findings(rows: pl.DataFrame, tasks: DomainTasks, min_rounds: int) -> list[Finding]:
    """Why each row has its status, in the order of the rows."""
    merges = {merge.segment_id: merge for merge in tasks.segmentation.merges}
    found = []
    for segment_id, status in rows.select("segment_id", "status").iter_rows():
        if status == "used":
            found.append(finding("own_task", segment_id))
        elif status == "pooled_only":
            found.append(finding("too_few_rounds", segment_id, least=min_rounds))
        else:
            merge = merges[segment_id]
            found.append(
                finding(
                    "merged_segment",
                    segment_id,
                    n_rounds=merge.n_rounds,
                    least=merge.min_rounds,
                    merged_into=merge.merged_into,
                )
            )
    return found
