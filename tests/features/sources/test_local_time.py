import zoneinfo
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contracts.refusal_marks import HOUR_SKIPPED, HOUR_TWICE, SIGN
from features.errors import UsageError
from features.sources.local_time import day, utc_time

# Rules that are over or settled: the machine's and the database's table of zones need not be of one year.
ZONES = ("Europe/Berlin", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")


NEW_YEAR_1971, NEW_YEAR_2017, NEW_YEAR_2026 = (
    datetime.fromisoformat(f"{year}-01-01T00:00:00") for year in (1971, 2017, 2026)
)
DATABASE = duckdb.connect()
# What comes out must not depend on where the machine stands.
DATABASE.execute("SET TimeZone = 'Asia/Tokyo'")


def ask(sql: str, text: str | None) -> object:
    [(said,)] = DATABASE.execute(f"SELECT {sql} FROM (SELECT CAST(? AS VARCHAR) AS said)", [text]).fetchall()
    return said


def instant(said: object) -> datetime:
    return datetime.fromisoformat(str(said)).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-01-05 10:00:00", "2026-01-05T09:00:00+00:00"),
        ("2026-07-05T10:00", "2026-07-05T08:00:00+00:00"),
        ("2026-07-05 10:00:00.25", "2026-07-05T08:00:00.250000+00:00"),
        ("2026-03-29 01:59:59", "2026-03-29T00:59:59+00:00"),
        ("2026-03-29 03:00:00", "2026-03-29T01:00:00+00:00"),
        ("2026-10-25 01:59:59", "2026-10-24T23:59:59+00:00"),
        ("2026-10-25 03:00:00", "2026-10-25T02:00:00+00:00"),
    ],
)
def test_a_wall_time_becomes_its_instant(text: str, said: str) -> None:
    assert instant(ask(utc_time("said", time_zone="Europe/Berlin"), text)).isoformat() == said


@pytest.mark.parametrize(
    ("text", "zone", "mark"),
    [
        ("2026-03-29 02:30:00", "Europe/Berlin", HOUR_SKIPPED),
        ("2026-10-25 02:30", "Europe/Berlin", HOUR_TWICE),
        ("2026-04-05 01:45", "Australia/Lord_Howe", HOUR_TWICE),
    ],
)
def test_an_hour_that_was_skipped_or_came_twice_has_no_instant(text: str, zone: str, mark: str) -> None:
    said = str(ask(utc_time("said", time_zone=zone), text))

    assert said.startswith(text)
    assert said.endswith(SIGN + mark)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize(
    "text", ["2026-01-05T10:00:00Z", "2026-01-05 10:00:00+02:00", "soon", "2026-01-05", "", None]
)
def test_what_is_not_a_naive_time_stays_as_it_is(text: str | None, zone: str) -> None:
    assert ask(utc_time("said", time_zone=zone), text) == text


def test_without_a_zone_a_naive_time_is_left_for_the_contract_to_refuse() -> None:
    assert utc_time("said") == "said"


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.datetimes(NEW_YEAR_1971, NEW_YEAR_2026).map(lambda wall: wall.replace(microsecond=0)),
)
def test_python_and_sql_agree_on_every_wall_time(zone: str, wall: datetime) -> None:
    place = zoneinfo.ZoneInfo(zone)
    both = {wall.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1)}
    shown = {moment for moment in both if moment.astimezone(place).replace(tzinfo=None) == wall}

    said = ask(utc_time("said", time_zone=zone), wall.isoformat(" "))

    if len(shown) == 1:
        assert instant(said) == shown.pop()
    else:
        assert str(said).endswith(SIGN + (HOUR_TWICE if shown else HOUR_SKIPPED))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Sao_Paulo"])
def test_every_half_hour_of_a_year_agrees(zone: str) -> None:
    """The two hours a year that matter are too few for chance to find them."""
    place = zoneinfo.ZoneInfo(zone)
    walls = [NEW_YEAR_2017 + timedelta(minutes=30 * step) for step in range(2 * 24 * 365)]
    sql = utc_time("CAST(wall AS VARCHAR)", time_zone=zone)
    said = DATABASE.execute(f"SELECT {sql} FROM (SELECT unnest(?::TIMESTAMP[]) AS wall)", [walls]).fetchall()
    for wall, (text,) in zip(walls, said, strict=True):
        both = {wall.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1)}
        shown = {moment for moment in both if moment.astimezone(place).replace(tzinfo=None) == wall}
        assert text.endswith((HOUR_SKIPPED, HOUR_TWICE)) if len(shown) != 1 else instant(text) in shown, wall


@pytest.mark.parametrize(
    ("text", "form", "said"),
    [
        ("1659304800025", "epoch_ms", "2022-07-31T22:00:00.025000Z"),
        ("1659304800", "epoch_s", "2022-07-31T22:00:00.000000Z"),
        ("1659304800.25", "epoch_s", "2022-07-31T22:00:00.250000Z"),
        ("-1", "epoch_s", "1969-12-31T23:59:59.000000Z"),
        ("soon", "epoch_ms", "soon"),
        ("99999999999999999999", "epoch_s", "99999999999999999999"),
        (None, "epoch_ms", None),
    ],
)
def test_a_count_since_1970(text: str | None, form: str, said: str | None) -> None:
    assert ask(utc_time("said", formats=[form]), text) == said


def test_patterns_are_tried_in_turn() -> None:
    sql = utc_time("said", time_zone="Europe/London", formats=["%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M"])

    assert instant(ask(sql, "24.12.2010 8:26")) == instant(ask(sql, "12/24/2010 8:26"))
    assert ask(sql, "24/12/2010 8:26") == "24/12/2010 8:26"
    assert ask(day("said", formats=["%d.%m.%Y", "%B %d %Y"]), "April 1 2020") == "2020-04-01"
    assert ask(day("said"), "2020-04-01") == "2020-04-01"


@pytest.mark.parametrize(
    ("zone", "formats", "said"),
    [
        ("Mars/Olympus", [], "Mars/Olympus is not a time zone"),
        ("'; SELECT 1", [], "is not a time zone"),
        (None, ["%d.%m.%Y"], "has no offset; set time_zone too"),
        ("UTC", ["%Z"], "%Z is not a time format"),
        ("UTC", ["%q"], "%q is not a time format"),
        ("UTC", ["%Y", "epoch_ms%"], "epoch_ms% is not a time format"),
    ],
)
def test_unknown_zones_and_patterns_are_refused(zone: str | None, formats: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        utc_time("said", time_zone=zone, formats=formats)
