"""Times as shops write them, in UTC: a zone, a pattern, or a count since 1970."""

import re
import zoneinfo
from collections.abc import Sequence

from features.contracts.refusal_marks import HOUR_SKIPPED, HOUR_TWICE, marked
from features.contracts.sql_text import quoted
from features.errors import UsageError

# Units of counts since 1970-01-01T00:00:00Z → the number of them in a second.
EPOCHS = {"epoch_s": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000}

# Days since 1899-12-30 on a wall clock, with the time of day as a fraction: what spreadsheets count in.
EXCEL_DAYS = "excel_days"

NAIVE_TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$"

# Directives of strptime that do not depend on the machine's time zone. An offset needs no pattern: ISO times
# with an offset are read as they are.
_PATTERN = re.compile(r"^([^%]|%(-?[dmHIMSyj]|[YfpbBaA%]))+$")


def utc_time(said: str, *, time_zone: str | None = None, formats: Sequence[str] = ()) -> str:
    """Return the SQL for a time in UTC, as text with its offset.

    said: SQL of the text that holds it.
    time_zone: of times without offset; an ISO time with an offset, as in 2026-01-05T10:00:00+01:00, is not
        changed. None leaves naive times for the contract to refuse.
    formats: strptime patterns, tried in turn, or one of EPOCHS, or EXCEL_DAYS; none for ISO 8601. Text that
    is not such a time is not changed, and the contract refuses it. An hour that the zone's clocks skipped or
    showed twice has no unique time in UTC: the result carries a mark, by which the contract refuses it.

    Raises UsageError for an unknown zone or pattern, or a pattern without zone.

    >>> utc_time('"at"', formats=["epoch_ms"])[:60]
    'coalesce(strftime(TRY(make_timestamp(CAST(TRY_CAST("at" AS D'
    """
    if len(formats) == 1 and formats[0] in EPOCHS:
        return _since_1970(said, EPOCHS[formats[0]])
    refuse_unknown_patterns(formats)
    if time_zone is None:
        if formats:
            raise UsageError(f"The pattern {formats[0]} has no offset; set time_zone too.")
        return said
    if time_zone not in zoneinfo.available_timezones():
        raise UsageError(f"{time_zone} is not a time zone; use one like Europe/Berlin, or UTC.")
    if not formats:
        naive = f"regexp_matches({said}, {quoted(NAIVE_TIME)})"
        if time_zone == "UTC":
            return f"CASE WHEN {naive} THEN {said} || 'Z' ELSE {said} END"
        wall = f"CASE WHEN {naive} THEN TRY_CAST({said} AS TIMESTAMP) END"
    else:
        wall = _days(said) if EXCEL_DAYS in formats else _parsed(said, formats)
    return f"coalesce({_unique_instant(wall, time_zone)}, {said})"


def plain_iso(said: str) -> str:
    """Return the SQL of an ISO time as most programs write it: no space before the offset, no comma.

    `2026-01-05 10:00:00,123 +0100` becomes `2026-01-05 10:00:00.123+0100`.
    """
    for found, put in ((" +", "+"), (" -", "-"), (" Z", "Z"), (",", ".")):
        said = f"replace({said}, {quoted(found)}, {quoted(put)})"
    return said


def day(said: str, *, formats: Sequence[str] = ()) -> str:
    """Return the SQL for a day as YYYY-MM-DD; text that is not such a day is not changed.

    Raises UsageError for an unknown pattern.
    """
    refuse_unknown_patterns(formats)
    if not formats:
        return said
    wall = _days(said) if EXCEL_DAYS in formats else _parsed(said, formats)
    return f"coalesce(CAST(CAST({wall} AS DATE) AS VARCHAR), {said})"


def refuse_unknown_patterns(formats: Sequence[str]) -> None:
    """Raise UsageError for what is neither a strptime pattern nor, by itself, EXCEL_DAYS."""
    for pattern in formats:
        if not _PATTERN.match(pattern) and (pattern != EXCEL_DAYS or len(formats) > 1):
            raise UsageError(
                f"{pattern} is not a time format: write one like %d/%m/%Y %H:%M, or alone one of "
                f"{', '.join((*EPOCHS, EXCEL_DAYS))}. ISO times with an offset need none."
            )


def _parsed(said: str, formats: Sequence[str]) -> str:
    """Return the SQL of a wall time by the first pattern that fits.

    A pattern with %Y reads 26 as the year 26, which no log of sales means: such times are left out.
    """
    parsed = f"try_strptime({said}, [{', '.join(quoted(pattern) for pattern in formats)}])"
    if not any("%Y" in pattern for pattern in formats):
        return parsed
    return f"list_transform([{parsed}], lambda wall: CASE WHEN year(wall) >= 1000 THEN wall END)[1]"


def _days(said: str) -> str:
    """Return the SQL of a spreadsheet's wall time, to the second: a double keeps no more of the fraction."""
    number = f"TRY_CAST(replace({said}, ',', '.') AS DECIMAL(20, 10))"
    seconds = f"CAST(round({number} * 86400) AS BIGINT)"
    # 36526 is 2000-01-01 and 73050 the last day of 2099: other numbers are ids, or seconds.
    return (
        f"CASE WHEN {number} BETWEEN 36526 AND 73051 THEN TIMESTAMP '1899-12-30' + to_seconds({seconds}) END"
    )


def _since_1970(said: str, per_second: int) -> str:
    # The decimal keeps a fraction of the count exact.
    micros = f"CAST(TRY_CAST({said} AS DECIMAL(38, 6)) * {1_000_000 // per_second} AS BIGINT)"
    return f"coalesce(strftime(TRY(make_timestamp({micros})), '%Y-%m-%dT%H:%M:%S.%fZ'), {said})"


def _unique_instant(wall: str, time_zone: str) -> str:
    """Return the SQL for the one instant at which the zone's clocks showed a wall time, as text.

    The database's own conversion answers for an hour that was skipped or came twice as if it were plain. So
    two instants are tried, by the offsets of a day earlier and a day later: they are the same unless the
    clocks were changed in between, and then the right ones are those that show the wall time.
    """
    zone = quoted(time_zone)
    as_utc = "timezone('UTC', wall)"
    earlier, later = (
        f"{as_utc} - (timezone({zone}, {as_utc} {sign} INTERVAL 1 DAY) - (wall {sign} INTERVAL 1 DAY))"
        for sign in "-+"
    )
    first, second = "instants[1]", "instants[2]"
    shows = {instant: f"timezone({zone}, {instant}) = wall" for instant in (first, second)}
    chosen = f"""
        CASE
            WHEN wall IS NULL THEN NULL
            WHEN {first} = {second} THEN CAST({first} AS VARCHAR)
            WHEN {shows[first]} AND {shows[second]} THEN {marked("CAST(wall AS VARCHAR)", HOUR_TWICE)}
            WHEN {shows[first]} THEN CAST({first} AS VARCHAR)
            WHEN {shows[second]} THEN CAST({second} AS VARCHAR)
            ELSE {marked("CAST(wall AS VARCHAR)", HOUR_SKIPPED)}
        END"""
    # A lambda over a list of one is used like LET: SQL has no other way to name a part of an expression.
    named = f"list_transform([[{earlier}, {later}]], lambda instants: {chosen})[1]"
    return f"list_transform([{wall}], lambda wall: {named})[1]"
