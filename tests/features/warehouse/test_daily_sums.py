"""Daily ad spend is a log of sums: lines add up, newer files state their days anew, nothing goes missing."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.contracts.mapping import LogMapping, SourceFile
from features.errors import InputDataError
from features.warehouse.build import build
from features.warehouse.load import LoadedFile
from features.warehouse.quality import OF_WHOLE_FILES, data_quality
from reports.wording.sentences import say, say_rule

KEY = ("date", "campaign_id", "channel", "segment_id")
NAMES = (*KEY, "impressions", "clicks", "spend_cents", "conversions", "revenue_cents")
HEADER = ",".join((*NAMES, "banner")) + "\n"
AS_OF = date(2026, 1, 31)

Line = tuple[int, str, int, str]
Load = Callable[..., LoadedFile]
Write = Callable[..., SourceFile]
Connection = duckdb.DuckDBPyConnection


@pytest.fixture
def spend_file(tmp_path: Path) -> Write:
    """Write a file of (day, campaign, spend, banner)."""

    def write(
        lines: Sequence[Line],
        name: str = "spend.csv",
        *,
        is_part: bool = False,
        adds_identical_lines: bool = False,
        source: str = "spend*.csv",
    ) -> SourceFile:
        text = "".join(
            f"2026-01-{day:02},{campaign},feed,all,100,5,{cents},1.5,{2 * cents},{banner}\n"
            for day, campaign, cents, banner in lines
        )
        path = tmp_path / name
        path.write_text(HEADER + text)
        columns = {column: f'"{column}"' for column in NAMES}
        mapping = LogMapping("ad_spend_daily", columns, adds_identical_lines=adds_identical_lines)
        return SourceFile(path, name, "csv", frozenset(NAMES), (mapping,), source=source, is_part=is_part)

    return write


def spend(warehouse: Connection) -> dict[tuple[int, str], int]:
    build(warehouse, as_of=AS_OF, attribution_hours=24, max_superseded_share=0.01)
    rows = warehouse.execute("SELECT day(date), campaign_id, spend_cents FROM fct_ad_spend").fetchall()
    return {(day, campaign): cents for day, campaign, cents in rows}


def reasons(warehouse: Connection) -> list[str]:
    rows = data_quality(warehouse, "night", say, say_rule).rows(named=True)
    return [row["reason"] for row in rows if row["reason_codes"] not in OF_WHOLE_FILES]


def test_lines_of_one_day_add_up(warehouse: Connection, spend_file: Write, load: Load) -> None:
    load(spend_file([(5, "spring", 1000, "a"), (5, "spring", 700, "b"), (6, "spring", 900, "a")]))

    assert spend(warehouse) == {(5, "spring"): 1700, (6, "spring"): 900}
    others = "SELECT impressions, clicks, conversions, revenue_cents FROM fct_ad_spend WHERE day(date) = 5"
    assert warehouse.execute(others).fetchall() == [(200, 10, 3.0, 3400)]
    assert reasons(warehouse) == []


def test_a_newer_file_states_its_days_anew(warehouse: Connection, spend_file: Write, load: Load) -> None:
    first = [(4, "spring", 500, "a"), (5, "spring", 1000, "a"), (5, "spring", 700, "b")]
    load(spend_file(first, "spend-1.csv"))
    load(spend_file([(5, "spring", 1600, "a"), (6, "spring", 800, "a")], "spend-2.csv"))

    assert spend(warehouse) == {(4, "spring"): 500, (5, "spring"): 1600, (6, "spring"): 800}
    assert reasons(warehouse) == [
        "rows of ad_spend_daily that gave way to those of spend-2.csv: 2, the first on line 3"
    ]


def test_a_campaign_that_the_newer_file_lacks_on_a_day_is_gone_from_it(
    warehouse: Connection, spend_file: Write, load: Load
) -> None:
    kept = [(5, "spring", 1000, "a"), (6, "spring", 900, "a")]
    load(spend_file([*kept, (5, "sale", 50, "a")], "spend-1.csv"))
    load(spend_file(kept, "spend-2.csv"))

    assert spend(warehouse) == {(5, "spring"): 1000, (6, "spring"): 900}


def test_sources_state_their_own_days_alone(warehouse: Connection, spend_file: Write, load: Load) -> None:
    load(spend_file([(5, "spring", 1000, "a")], "google.csv", source="google.csv"))
    load(spend_file([(5, "spring", 300, "a")], "meta.csv", source="meta.csv"))

    assert spend(warehouse) == {(5, "spring"): 1300}


def test_parts_of_one_export_add_up(warehouse: Connection, spend_file: Write, load: Load) -> None:
    load(spend_file([(5, "spring", 1000, "a")], "spend-1.csv", is_part=True))
    load(spend_file([(5, "spring", 200, "b"), (5, "sale", 10, "b")], "spend-2.csv", is_part=True))

    assert spend(warehouse) == {(5, "spring"): 1200, (5, "sale"): 10}


def test_the_same_content_counts_once_under_any_name_and_for_itself_when_the_other_changes(
    warehouse: Connection, spend_file: Write, load: Load
) -> None:
    lines = [(5, "spring", 1000, "a")]
    load(spend_file(lines, "spend-1.csv", is_part=True))
    again = spend_file(lines, "spend-1 (1).csv", is_part=True)
    twin = load(again)

    assert (twin.outcome, twin.twin_of, twin.n_lines) == ("unchanged", "spend-1.csv", 1)
    assert spend(warehouse) == {(5, "spring"): 1000}
    assert reasons(warehouse) == ["its content is the same as that of spend-1.csv, and counts once"]

    load(spend_file([(6, "spring", 80, "a")], "spend-1.csv", is_part=True))
    assert load(again).twin_of is None
    assert spend(warehouse) == {(5, "spring"): 1000, (6, "spring"): 80}


def test_the_same_file_twice_changes_nothing(warehouse: Connection, spend_file: Write, load: Load) -> None:
    file = spend_file([(5, "spring", 1000, "a"), (5, "spring", 700, "b")])

    assert [load(file).outcome for _ in range(2)] == ["loaded", "unchanged"]
    assert spend(warehouse) == {(5, "spring"): 1700}


@pytest.mark.parametrize(("adds", "expected"), [(False, 1000), (True, 3000)])
def test_a_line_that_repeats_another_counts_once_unless_the_mapping_adds_it(
    warehouse: Connection, spend_file: Write, load: Load, *, adds: bool, expected: int
) -> None:
    load(spend_file([(5, "spring", 1000, "a")] * 3, adds_identical_lines=adds))

    assert spend(warehouse) == {(5, "spring"): expected}
    said = ["rows of ad_spend_daily that repeat a row of spend.csv: 2, the first on line 3"]
    assert reasons(warehouse) == ([] if adds else said)


def test_lines_that_differ_in_a_column_that_nobody_reads_are_two(
    warehouse: Connection, spend_file: Write, load: Load
) -> None:
    load(spend_file([(5, "spring", 1000, "a"), (5, "spring", 1000, "b")]))

    assert spend(warehouse) == {(5, "spring"): 2000}


@pytest.mark.parametrize(
    "lines",
    [
        [(5, "spring", 1000, "a"), (6, "spring", 1000, "a"), (6, "sale", 1000, "a")],
        [(5, "spring", 1000, "a"), (5, "sale", 1000, "a"), (6, "spring", 300, "a"), (6, "sale", 10, "a")],
    ],
)
def test_a_newer_file_that_takes_back_most_of_a_day_is_refused_and_leaves_no_trace(
    warehouse: Connection, spend_file: Write, load: Load, lines: list[Line]
) -> None:
    whole = [(day, name, 1000, "a") for day in (5, 6) for name in ("spring", "sale", "brand")]
    load(spend_file(whole, "spend-1.csv"))
    before = spend(warehouse)

    with pytest.raises(InputDataError, match=r"spend-2.csv is newer than spend-1.csv and takes back"):
        load(spend_file(lines, "spend-2.csv"))

    assert spend(warehouse) == before
    load(spend_file([(day, name, 900, "a") for day, name, _, _ in whole], "spend-3.csv"))
    assert set(spend(warehouse).values()) == {900}


def test_of_files_that_come_together_the_one_that_reaches_further_is_newer(
    warehouse: Connection, spend_file: Write, load: Load
) -> None:
    load(spend_file([(5, "spring", 1100, "a"), (6, "spring", 1200, "a")], "spend_01-02.csv"))
    load(spend_file([(4, "spring", 900, "a"), (5, "spring", 100, "a")], "spend_31-01.csv"))

    assert spend(warehouse) == {(4, "spring"): 900, (5, "spring"): 1100, (6, "spring"): 1200}


def test_an_older_statement_that_comes_again_under_another_name_is_the_newest(
    warehouse: Connection, spend_file: Write, load: Load
) -> None:
    for name, cents in (("spend-1.csv", 1000), ("spend-2.csv", 1100), ("spend-3.csv", 1000)):
        load(spend_file([(5, "spring", cents, "a")], name))

    assert spend(warehouse) == {(5, "spring"): 1000}


def test_files_that_an_earlier_version_loaded_give_way_to_any_newer_one(
    warehouse: Connection, spend_file: Write, load: Load
) -> None:
    load(spend_file([(4, "spring", 500, "a"), (5, "spring", 700, "a"), (5, "sale", 700, "b")], "spend-1.csv"))
    warehouse.execute("UPDATE load_manifest SET source = NULL, is_part = NULL, adds_identical_lines = NULL")
    warehouse.execute("UPDATE raw_ad_spend_daily SET line_hash = NULL")
    load(spend_file([(5, "spring", 800, "a"), (5, "sale", 600, "b")], "spend-2.csv"))

    assert spend(warehouse) == {(4, "spring"): 500, (5, "spring"): 800, (5, "sale"): 600}


def test_a_credit_lowers_its_day(warehouse: Connection, spend_file: Write, load: Load) -> None:
    load(spend_file([(5, "spring", 1000, "a"), (5, "spring", -300, "credit")]))

    assert spend(warehouse) == {(5, "spring"): 700}


def test_a_day_below_zero_is_quarantined_with_all_of_its_lines(
    warehouse: Connection, spend_file: Write, load: Load
) -> None:
    lines = [(5, "spring", 100, "a"), (5, "spring", -300, "credit"), (6, "spring", 50, "a")]
    loaded = load(spend_file(lines))

    assert (loaded.n_loaded, loaded.n_rejected) == (1, 2)
    assert spend(warehouse) == {(6, "spring"): 50}
    assert reasons(warehouse) == [
        "line 2: spend_cents adds up to less than 0 over the lines of its key: the credits exceed the day"
    ]


@pytest.mark.parametrize(("n_days", "is_refused"), [(11, False), (5, True)])
def test_a_few_days_of_credits_stop_no_night_and_a_sign_turned_round_does(
    spend_file: Write, load: Load, *, n_days: int, is_refused: bool
) -> None:
    lines = [(day, "spring", 100, "a") for day in range(2, n_days)]
    file = spend_file([*lines, (1, "spring", -300, "credit")])

    if is_refused:
        with pytest.raises(InputDataError, match="the credits exceed the day"):
            load(file, max_rejected_share=0.01)
    else:
        assert load(file, max_rejected_share=0.01).n_rejected == 1


def test_a_file_that_is_read_anew_is_as_new_as_it_was(
    warehouse: Connection, spend_file: Write, load: Load
) -> None:
    older = spend_file([(5, "spring", 1000, "a")], "spend-b.csv")
    newer = spend_file([(5, "spring", 1600, "a")], "spend-a.csv")
    for day, file in ((10, older), (11, newer)):
        receipt = [file.name, load(file).sha256, f"2026-01-{day}T00:00:00Z"]
        warehouse.execute("INSERT INTO file_receipts VALUES (?, ?, ?)", receipt)

    # under another key of the pseudonyms both are read anew, in the order of their names
    for file in (newer, older):
        load(file, key_id="k2")

    assert spend(warehouse) == {(5, "spring"): 1600}


LINES = st.lists(
    st.tuples(
        st.integers(1, 5), st.sampled_from(("spring", "sale")), st.integers(0, 999), st.uuids().map(str)
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES)
def test_every_cent_of_a_file_is_in_the_sums(
    warehouse: Connection, spend_file: Write, load: Load, lines: list[Line]
) -> None:
    expected = Counter[tuple[int, str]]()
    for day, campaign, cents, _ in lines:
        expected[day, campaign] += cents

    load(spend_file(lines))

    assert spend(warehouse) == dict(expected)
