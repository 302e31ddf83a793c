"""Criteo attribution: a month of display ads, one impression a line, tab-separated.

Of a conversion that Criteo is credited with, the last click before it takes all: its impression counts one
conversion. Only the campaign of an ad is known, so that the campaign is its creative as well. Times are
seconds from an undisclosed start, which START puts into the calendar. Cost and cost per order are on one
undisclosed scale: UNIT_CENTS makes whole cents of them, and only their ratios mean anything.
Source: Diemert, Meynet, Galland & Lefortier 2017, Attribution modeling increases efficiency of bidding in
display advertising.
"""

from datetime import date
from pathlib import Path

from features.contracts.mapping import LINE, LogMapping, SourceFile
from features.contracts.refusal_marks import NOT_AN_AMOUNT, marked
from features.contracts.sql_text import quoted
from features.sources.folder import listed

START = "2017-01-01 00:00:00"
UNIT_CENTS = 1_000_000
CHANNEL = "display"

COLUMNS = frozenset(
    {"timestamp", "uid", "campaign", "conversion", "attribution"}
    | {"click", "click_pos", "click_nb", "cost", "cpo"}
)


def files(folder: Path, *, until: date | None = None) -> tuple[SourceFile, ...]:  # noqa: ARG001
    """Return the TSV files of the folder; each feeds ad_impressions.

    until: part of every adapter's signature; it leaves out no file here, because a file holds a month. The
        warehouse leaves out rows after the night's date.
    Raises InputDataError when the folder holds no TSV file.
    """
    paths = listed(folder, "*.tsv", "*.tsv.gz", source="Criteo attribution")
    return tuple(
        SourceFile(path, path.name, "csv", COLUMNS, (_ad_impressions(path.name),), delimiter="\t")
        for path in paths
    )


def _ad_impressions(name: str) -> LogMapping:
    shown_at = f"TIMESTAMP '{START}' + to_seconds(TRY_CAST(\"timestamp\" AS BIGINT))"
    is_credited = (
        "conversion = '1' AND attribution = '1' AND click = '1' "
        "AND TRY_CAST(click_pos AS BIGINT) = TRY_CAST(click_nb AS BIGINT) - 1"
    )
    columns = {
        "ad_impression_id": f"{quoted(name + ':')} || {LINE}",
        "shown_at": f"coalesce(CAST(TRY({shown_at}) AS VARCHAR) || 'Z', \"timestamp\")",
        "user_id": "uid",
        "campaign_id": "campaign",
        "channel": quoted(CHANNEL),
        "creative_id": "campaign",
        "cost_cents": _amount("cost"),
        "is_clicked": "click",
        "conversions": f"CASE WHEN {is_credited} THEN 1 ELSE 0 END",
        "conversion_value_cents": f"CASE WHEN {is_credited} THEN {_amount('cpo')} ELSE '0' END",
    }
    return LogMapping("ad_impressions", columns)


def _amount(column: str) -> str:
    """Return the SQL for an amount on the scale of the file, in cents as text."""
    in_cents = f"round(TRY_CAST({column} AS DECIMAL(30, 15)) * {UNIT_CENTS})"
    return f"coalesce(CAST({in_cents} AS VARCHAR), {marked(column, NOT_AN_AMOUNT)})"
