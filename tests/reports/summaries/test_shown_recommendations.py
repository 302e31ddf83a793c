import polars as pl

from reports.summaries.night import night
from reports.summaries.recommendations import coverage, fallback_levels, n_small_segments, reasons, top_items
from tests.reports.sample_nights import demo_night

SAMPLE = demo_night()
ROWS = night(SAMPLE.tables, SAMPLE.manifest).rows("out_recommendations")
SMALL = "app-new-b"


def test_small_segments_show_no_items_where_rows_are_users() -> None:
    assert SMALL in ROWS["segment_id"].to_list()
    assert n_small_segments(ROWS) == 1
    assert SMALL not in {item.segment_id for item in top_items(ROWS, unit="user")}
    assert SMALL in {item.segment_id for item in top_items(ROWS, unit="round")}


def test_shares_of_levels_and_reasons_add_up_to_one() -> None:
    assert abs(sum(level.share for level in fallback_levels(ROWS)) - 1) < 1e-12
    assert abs(sum(reason.share for reason in reasons(ROWS)) - 1) < 1e-12


def test_an_item_in_every_slate_has_share_one() -> None:
    one = ROWS.filter((pl.col("segment_id") == "web-old-d") & (pl.col("slot_rank") == 1)).with_columns(
        item_id=pl.lit("always")
    )

    (item,) = top_items(one, unit="round")

    assert (item.item_id, item.slate_share, item.usual_slot) == ("always", 1.0, 1)


def test_coverage_counts_rows_users_and_items() -> None:
    covered = coverage(ROWS)

    assert covered.n_rows == ROWS.height == 3 * covered.n_users
    assert covered.policies == ("maml-77b0e3f2",)
