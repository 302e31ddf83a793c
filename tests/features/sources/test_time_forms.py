# ruff: noqa: DTZ001, DTZ007
"""Wall times carry no zone: what is loaded is compared in UTC."""

from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.sources import time_forms
from features.sources.local_time import plain_iso, utc_time
from features.sources.time_forms import TimeForm, time_form

DATABASE = duckdb.connect()
DATABASE.execute("SET TimeZone = 'UTC'")
NOW = datetime(2026, 6, 1)
PATTERNS = [
    *time_forms._DAYS,
    *(f"{day} {clock}" for day in time_forms._DAYS for clock in time_forms._CLOCKS),
]


def loaded(texts: list[str], form: TimeForm) -> list[datetime | None]:
    formats = [form.pattern] if form.pattern else []
    said = "said" if formats else plain_iso("said")
    sql = utc_time(said, time_zone="UTC", formats=formats)
    rows = DATABASE.execute(
        f"SELECT TRY_CAST({sql} AS TIMESTAMPTZ) FROM (SELECT unnest(?::VARCHAR[]) AS said)", [texts]
    ).fetchall()
    return [at.astimezone(UTC).replace(tzinfo=None) if at else None for (at,) in rows]


@settings(max_examples=60, deadline=None)
@given(
    moments=st.lists(st.datetimes(datetime(2001, 1, 1), datetime(2025, 12, 31)), min_size=1, max_size=8),
    pattern=st.sampled_from(PATTERNS),
)
def test_times_of_every_pattern_load_as_themselves_or_their_order_is_a_question(
    moments: list[datetime], pattern: str
) -> None:
    texts = [moment.strftime(pattern) for moment in moments]
    truth = [datetime.strptime(text, pattern) for text in texts]

    form = time_form(texts, NOW)

    assert form is not None, texts
    readings = [loaded(texts, form)]
    if form.decision != "only one fits":
        readings.append(loaded(texts, TimeForm("pattern", form.other)))
    assert truth in readings


@pytest.mark.parametrize(
    ("values", "pattern", "decision"),
    [
        (["05/01/2026", "13/01/2026"], "%d/%m/%Y", "only one fits"),
        (["01/05/2026", "01/13/2026"], "%m/%d/%Y", "only one fits"),
        # read the other way, 7 August lies behind 1 June
        (["01/05/2026", "07/05/2026", "08/05/2026"], "%d/%m/%Y", "future"),
        (["05/01/2026", "05/07/2026", "05/08/2026"], "%m/%d/%Y", "future"),
        # three days of January, in order
        (["05/01/2025", "06/01/2025", "04/02/2025"], "%d/%m/%Y", "line order"),
        (["05/01/2025", "05/02/2025"], "%d/%m/%Y", "undecided"),
        (["05/05/2025", "06/06/2025"], "%d/%m/%Y", "only one fits"),
    ],
)
def test_the_day_first_or_the_month(values: list[str], pattern: str, decision: str) -> None:
    form = time_form(values, NOW)

    assert form is not None
    assert (form.pattern, form.decision) == (pattern, decision)


def test_neighboring_lines_are_near_in_time() -> None:
    days = [datetime(2025, 1, 1) + timedelta(days=n % 12) for n in range(60)]

    form = time_form([day.strftime("%m/%d/%Y") for day in days], NOW)

    assert form == TimeForm("pattern", "%m/%d/%Y", "%d/%m/%Y", "neighbors")


@pytest.mark.parametrize(
    ("value", "form", "truth"),
    [
        ("2026-01-05 10:00:00,123", TimeForm("naive"), datetime(2026, 1, 5, 10, 0, 0, 123000)),
        ("2026-01-05 10:00:00 +0100", TimeForm("zoned"), datetime(2026, 1, 5, 9)),
        ("1/5/2026 12:10:00 AM", TimeForm("pattern", "%m/%d/%Y %I:%M:%S %p"), datetime(2026, 1, 5, 0, 10)),
        ("46027,375", TimeForm("excel_days", "excel_days"), datetime(2026, 1, 5, 9)),
        ("46027.999988426", TimeForm("excel_days", "excel_days"), datetime(2026, 1, 5, 23, 59, 59)),
        ("2026年01月05日 09:30", TimeForm("pattern", "%Y年%m月%d日 %H:%M"), datetime(2026, 1, 5, 9, 30)),
    ],
)
def test_a_time_is_recognized_and_loaded(value: str, form: TimeForm, truth: datetime) -> None:
    found = time_form([value], datetime(2026, 1, 20)) or form

    assert found.kind == form.kind
    assert loaded([value], form) == [truth]


@pytest.mark.parametrize(
    "values", [["46027", "46028"], ["12345"], ["soon"], [], ["1767600000", "1767605820000"]]
)
def test_other_numbers_and_texts_are_not_times(values: list[str]) -> None:
    assert time_form(values, NOW) is None


def test_a_year_of_two_digits_is_not_the_year_26() -> None:
    assert loaded(["05.01.26"], TimeForm("pattern", "%d.%m.%Y")) == [None]
    assert loaded(["05.01.26"], TimeForm("pattern", "%d.%m.%y")) == [datetime(2026, 1, 5)]
