"""Rows that say they come from a published list: as it was published, or in quarantine with the reason."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from features.contracts.mapping import SourceFile
from features.errors import InputDataError
from features.warehouse.load import LoadedFile, load_file
from features.warehouse.outputs import remove_outputs, store_outputs
from features.warehouse.published_lists import published_lists
from features.warehouse.tombstones import not_erased_sql
from reports.wording.sentences import say
from tests.features.warehouse.conftest import PSEUDONYM_SQL
from tests.laws.said_of_lines import rejected_lines

FIRST, SECOND, LATER = "2026-01-05-00000001", "2026-01-06-00000002", "2026-01-07-00000003"
STANDING = f"maml-{FIRST}"
"""The champion of the first night, which serves in the second night too, with other propensities."""

COLUMNS = (
    *("impression_id", "shown_at", "user_id", "session_id", "surface", "slot", "item_id", "propensity"),
    *("policy_version", "run_id"),
)
NOT_SERVED = "not what was served: "

Row = Mapping[str, object]
Load = Callable[..., LoadedFile]


def item(user: str, slot: int, item_id: str, propensity: float, **changes: object) -> dict[str, object]:
    row = {"user_key": f"key of {user}", "surface": "home", "slot_rank": slot, "item_id": item_id}
    return row | {"propensity": propensity, "policy_version": STANDING} | changes


LISTS = {
    FIRST: [item("ann", 1, "hat", 0.9), item("ann", 2, "shoe", 1 / 30), item("ben", 1, "shoe", 0.9)],
    SECOND: [item("ann", 1, "hat", 0.8), item("ann", 2, "shoe", 0.1), item("ben", 1, "hat", 0.2)],
}


def shown(**changes: object) -> dict[str, object]:
    """A row of the first list on the day after it; what changes is what a test is about."""
    row: dict[str, object] = {
        "shown_at": "2026-01-06T10:00:00Z",
        "user_id": "ann",
        "session_id": "v1",
        "surface": "home",
        "slot": 1,
        "item_id": "hat",
        "propensity": 0.9,
        "policy_version": STANDING,
        "run_id": "",
    }
    return row | changes


def write_night(
    published: Path, run_id: str, rows: Iterable[Row], table: str = "out_recommendations"
) -> None:
    folder = published / run_id
    folder.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(list(rows), infer_schema_length=None).write_parquet(folder / f"{table}.parquet")


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Two nights in which one champion served."""
    folder = tmp_path / "published [shop]"
    for run_id, rows in LISTS.items():
        write_night(folder, run_id, rows)
    return folder


@pytest.fixture
def load_shown(
    warehouse: duckdb.DuckDBPyConnection, source_file: Callable[..., SourceFile], published: Path
) -> Load:
    """Load rows of what was shown; the folders of nights are read anew each time."""

    def load(*rows: Row, max_rejected_share: float = 1.0, not_erased: str = "true") -> LoadedFile:
        lines = [",".join(COLUMNS)]
        for number, row in enumerate(rows, start=1):
            named = {"impression_id": f"i{number}", **row}
            lines.append(",".join(str(named[name]) for name in COLUMNS))
        columns = {name: f'"{name}"' for name in COLUMNS}
        # an empty field is null, as a mapping of [[files]] has it
        columns |= {name: f"nullif(\"{name}\", '')" for name in ("user_id", "propensity", "run_id")}
        folders = sorted(published.iterdir()) if published.is_dir() else []
        return load_file(
            warehouse,
            source_file("\n".join([*lines, ""]), columns=columns),
            pseudonym_sql=PSEUDONYM_SQL,
            key_id="k1",
            max_rejected_share=max_rejected_share,
            published=published_lists(warehouse, [(path.name.partition(".")[0], path) for path in folders]),
            not_erased=not_erased,
            say=say,
        )

    return load


def reasons(warehouse: duckdb.DuckDBPyConnection) -> list[str]:
    return [reason for _, reason in rejected_lines(warehouse)]


def noted(warehouse: duckdb.DuckDBPyConnection) -> list[str]:
    return [rule for (rule,) in warehouse.execute("SELECT rule FROM file_notes ORDER BY ALL").fetchall()]


def test_rows_as_the_night_before_published_them_are_loaded(warehouse, load_shown: Load) -> None:
    loaded = load_shown(
        shown(),
        shown(slot=2, item_id="shoe", propensity=1 / 30),
        shown(user_id="ben", item_id="shoe"),
        shown(shown_at="2026-01-07T10:00:00Z", propensity=0.8),
    )

    assert (loaded.n_loaded, loaded.n_rejected) == (4, 0)
    assert warehouse.execute("SELECT sum(propensity) FROM raw_impressions").fetchone() == (
        pytest.approx(0.9 + 1 / 30 + 0.9 + 0.8),
    )
    assert noted(warehouse) == []


@pytest.mark.parametrize("propensity", ["0.03333333507180214", "0.0333333333", "0.033333334"])
def test_what_float32_or_a_text_do_to_a_propensity_is_no_difference(
    load_shown: Load, propensity: str
) -> None:
    assert load_shown(shown(slot=2, item_id="shoe", propensity=propensity)).n_rejected == 0


NO_SUCH = "the lists of the night of 2026-01-05 have no such {} there"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"propensity": 0.5}, "propensity is 0.5, and the night of 2026-01-05 published 0.9 there"),
        # that of a night that was not over when it was shown
        ({"propensity": 0.8}, "propensity is 0.8, and the night of 2026-01-05 published 0.9 there"),
        (
            {"propensity": 0.9000045},
            "propensity is 0.9000045, and the night of 2026-01-05 published 0.9 there",
        ),
        ({"item_id": "shoe"}, NO_SUCH.format("item_id")),
        ({"slot": 3}, NO_SUCH.format("slot")),
        ({"surface": "cart"}, NO_SUCH.format("surface")),
        ({"user_id": "zoe"}, NO_SUCH.format("user_id")),
        ({"user_id": ""}, NO_SUCH.format("user_id")),
    ],
)
def test_a_row_that_fits_no_list_says_what_differs(
    warehouse, load_shown: Load, changes: Row, reason: str
) -> None:
    loaded = load_shown(shown(), shown(**changes), shown())

    assert (loaded.n_lines, loaded.n_loaded, loaded.n_rejected) == (3, 2, 1)
    assert rejected_lines(warehouse) == [(3, NOT_SERVED + reason)]


def test_a_list_that_is_shown_again_days_later_is_that_of_any_earlier_night(load_shown: Load) -> None:
    late = {"shown_at": "2026-01-20T10:00:00Z"}
    assert load_shown(shown(**late), shown(**late, propensity=0.8)).n_rejected == 0


def test_a_row_that_names_its_night_is_compared_with_that_night_alone(warehouse, load_shown: Load) -> None:
    late = {"shown_at": "2026-01-20T10:00:00Z"}
    loaded = load_shown(
        shown(**late, run_id=FIRST),
        shown(**late, run_id=SECOND),
        shown(**late, run_id=FIRST, policy_version=f"reptile-{FIRST}"),
    )

    assert loaded.n_loaded == 1
    assert reasons(warehouse) == [
        f"{NOT_SERVED}propensity is 0.9, and the night of 2026-01-06 published 0.8 there",
        f"{NOT_SERVED}{NO_SUCH.format('policy_version')}",
    ]


def test_a_version_and_a_night_that_nobody_published_are_named(warehouse, load_shown: Load) -> None:
    load_shown(
        shown(policy_version="maml-2026-01-05-ffffffff"),
        shown(run_id="2026-01-06-ffffffff"),
        # published, but after it was shown
        shown(shown_at="2026-01-05T10:00:00Z"),
    )

    assert [reason.partition(" is of a night")[0] for reason in reasons(warehouse)] == [
        "policy_version",
        "run_id",
        "policy_version",
    ]


def test_a_night_without_lists_has_served_none(warehouse, published: Path, load_shown: Load) -> None:
    write_night(published, LATER, [{"run_id": LATER}], "out_data_quality")
    load_shown(shown(shown_at="2026-01-08T10:00:00Z", run_id=LATER))

    assert reasons(warehouse) == [
        f"{NOT_SERVED}the lists of the night of 2026-01-07 have no such policy_version there"
    ]


@pytest.mark.parametrize("version", ["bts", "maml-77b0e3f2", "maml-2026-13-45-0a1b2c3d", FIRST])
def test_a_version_of_the_shop_s_own_is_not_compared(warehouse, load_shown: Load, version: str) -> None:
    assert load_shown(shown(policy_version=version, propensity=0.123)).n_rejected == 0
    assert noted(warehouse) == []


@pytest.mark.parametrize("version", ["bts", "logging"])
def test_whoever_names_a_night_says_that_its_table_served_the_row(
    warehouse, load_shown: Load, version: str
) -> None:
    """A version of the shop's own too, unless the night's own table has it."""
    loaded = load_shown(
        shown(policy_version=version),
        shown(policy_version=version, run_id=FIRST),
        shown(policy_version=version, run_id="2026-01-06-ffffffff"),
        shown(run_id=FIRST),
    )

    assert (loaded.n_loaded, loaded.n_rejected) == (2, 2)
    assert rejected_lines(warehouse)[0] == (3, f"{NOT_SERVED}{NO_SUCH.format('policy_version')}")
    assert rejected_lines(warehouse)[1][1].startswith("run_id is of a night that this shop had not published")


def test_a_version_of_the_shop_s_own_that_a_night_published_is_compared_with_it(
    warehouse, published: Path, load_shown: Load
) -> None:
    write_night(published, LATER, [item("ann", 1, "hat", 0.5, policy_version="bts")])
    own = {"shown_at": "2026-01-08T10:00:00Z", "policy_version": "bts"}
    loaded = load_shown(
        shown(**own, run_id=LATER, propensity=0.5), shown(**own, run_id=LATER, propensity=0.9), shown(**own)
    )

    assert loaded.n_loaded == 2
    assert reasons(warehouse) == [
        f"{NOT_SERVED}propensity is 0.9, and the night of 2026-01-07 published 0.5 there"
    ]


def test_a_propensity_that_is_not_logged_claims_nothing(warehouse, load_shown: Load) -> None:
    load_shown(shown(propensity=""), shown(propensity="", item_id="shoe"))
    assert [line for line, _ in rejected_lines(warehouse)] == [3]


def test_nights_that_are_gone_leave_their_rows_and_their_number(
    warehouse, published: Path, load_shown: Load
) -> None:
    """The first night was removed by [retention], the second stands; a version of the third is invented."""
    (published / FIRST / "out_recommendations.parquet").unlink()
    (published / FIRST).rmdir()

    loaded = load_shown(
        shown(),
        shown(run_id=FIRST),
        shown(policy_version="reptile-2026-01-02-0a1b2c3d"),
        shown(shown_at="2026-01-08T10:00:00Z", policy_version="reptile-2026-01-07-0a1b2c3d"),
        # its champion stood in the second night, whose lists are there
        shown(shown_at="2026-01-07T10:00:00Z", propensity=0.5),
    )

    assert loaded.n_loaded == 3
    assert reasons(warehouse) == [
        "policy_version is of a night that this shop had not published before that day, or has taken back: "
        "log what the published table says, or publish the night again",
        f"{NOT_SERVED}propensity is 0.5, and the night of 2026-01-06 published 0.8 there",
    ]
    [(text,)] = warehouse.execute("SELECT findings FROM file_notes").fetchall()
    assert text == ('[{"code":"shown_rows_unchecked","subject":"day.csv","numbers":{"n_rows":3}}]')


def test_an_invented_version_older_than_all_nights_can_not_be_told_from_one_that_retention_removed(
    warehouse, load_shown: Load
) -> None:
    """Nothing records which nights have left, so it keeps its propensity, and is counted in the report."""
    invented = "made-up-2025-12-31-0a1b2c3d"
    assert load_shown(shown(policy_version=invented, propensity=0.123)).n_loaded == 1
    found = warehouse.execute("SELECT policy_version, propensity FROM raw_impressions").fetchall()
    assert found == [(invented, 0.123)]
    [(text,)] = warehouse.execute("SELECT findings FROM file_notes").fetchall()
    assert text == ('[{"code":"shown_rows_unchecked","subject":"day.csv","numbers":{"n_rows":1}}]')


def test_a_file_that_came_before_any_night_is_compared_when_it_comes_again(
    warehouse, published: Path, load_shown: Load
) -> None:
    hidden = published.rename(published.with_name("restored later"))
    assert load_shown(shown(propensity=0.5)).n_rejected == 0
    assert noted(warehouse) == ["shown_rows_unchecked"]
    hidden.rename(published)

    assert load_shown(shown(propensity=0.5)).outcome == "unchanged"
    again = load_shown(shown(propensity=0.5), shown())

    assert (again.outcome, again.n_loaded, again.n_rejected) == ("replaced", 1, 1)
    assert noted(warehouse) == ["content_replaced"]


def stored(run_id: str, rows: Iterable[Row]) -> dict[str, pl.DataFrame]:
    lists = pl.DataFrame([{"run_id": run_id, **row} for row in rows])
    return {"out_recommendations": lists, "out_data_quality": pl.DataFrame({"run_id": [run_id]})}


def test_the_warehouse_s_own_copy_stands_in_for_folders_that_are_gone(
    warehouse, published: Path, load_shown: Load
) -> None:
    published.rename(published.with_name("on the other machine"))
    for run_id, rows in LISTS.items():
        store_outputs(warehouse, stored(run_id, rows), run_id)

    loaded = load_shown(shown(), shown(propensity=0.5))

    assert (loaded.n_loaded, loaded.n_rejected) == (1, 1)
    assert reasons(warehouse) == [
        f"{NOT_SERVED}propensity is 0.5, and the night of 2026-01-05 published 0.9 there"
    ]
    # a night that is taken back leaves the warehouse too
    remove_outputs(warehouse, SECOND)
    assert published_lists(warehouse, []).run_ids == {FIRST}


def test_both_contents_of_a_night_that_was_published_twice_may_have_been_shown(
    published: Path, load_shown: Load
) -> None:
    write_night(published, f"{FIRST}.2", [item("ann", 1, "hat", 0.7)])
    assert load_shown(shown(), shown(propensity=0.7)).n_rejected == 0


def test_two_surfaces_have_lists_of_their_own_and_all_is_any_surface(
    warehouse, published: Path, load_shown: Load
) -> None:
    cart = [item("ann", 1, "hat", 0.6, surface="cart"), item("ben", 1, "hat", 0.3, surface="all")]
    write_night(published, FIRST, [*LISTS[FIRST][:2], *cart])

    loaded = load_shown(
        shown(),
        shown(surface="cart", propensity=0.6),
        shown(surface="cart"),
        shown(user_id="ben", surface="basket", propensity=0.3),
    )

    assert loaded.n_loaded == 3
    assert reasons(warehouse) == [
        f"{NOT_SERVED}propensity is 0.9, and the night of 2026-01-05 published 0.6 there"
    ]


def test_without_users_a_row_is_as_the_distribution_of_some_segment(
    warehouse, published: Path, load_shown: Load
) -> None:
    common = {"surface": "home", "slot_rank": 1, "policy_version": f"maml-{LATER}"}
    rows = [
        common | {"segment_id": segment, "item_id": item_id, "probability": share}
        for segment, hat in (("north", 0.9), ("south", 0.4))
        for item_id, share in (("hat", hat), ("shoe", 1 - hat))
    ]
    write_night(published, LATER, rows, "out_segment_distributions")
    seen = {"shown_at": "2026-01-08T10:00:00Z", "policy_version": f"maml-{LATER}"}

    loaded = load_shown(
        shown(**seen, user_id=""),
        shown(**seen, user_id="", propensity=0.4),
        shown(**seen, user_id="anybody", item_id="shoe", propensity=0.6),
        shown(**seen, user_id="", propensity=0.5),
        shown(**seen, user_id="", item_id="scarf"),
    )

    assert loaded.n_loaded == 3
    assert reasons(warehouse) == [
        f"{NOT_SERVED}propensity is 0.5, and the night of 2026-01-07 published 0.4 there",
        f"{NOT_SERVED}the lists of the night of 2026-01-07 have no such item_id there",
    ]


def test_rejected_rows_count_towards_the_limit_of_the_file(warehouse, load_shown: Load) -> None:
    with pytest.raises(InputDataError, match=r"The most frequent reason, 2 times, first on line 3: not what"):
        load_shown(shown(), shown(propensity=0.5), shown(propensity=0.6), max_rejected_share=0.5)
    assert warehouse.execute("SELECT count(*) FROM raw_impressions").fetchone() == (0,)


def test_a_log_of_more_rows_than_a_block_of_the_database_loses_no_reason(
    warehouse, source_file: Callable[..., SourceFile], published: Path
) -> None:
    """Inside of a transaction, DuckDB 2.0 copies no row of a larger table after an update of it."""
    n_rows = 125_000
    row = pl.DataFrame([shown(propensity=0.5)]).drop("run_id")
    lines = row.join(pl.select(impression_id=pl.format("i{}", pl.int_range(n_rows))), how="cross")

    loaded = load_file(
        warehouse,
        source_file(lines.write_csv(), columns={name: f'"{name}"' for name in lines.columns}),
        pseudonym_sql=PSEUDONYM_SQL,
        key_id="k1",
        max_rejected_share=1.0,
        published=published_lists(warehouse, [(FIRST, published / FIRST)]),
    )

    assert (loaded.n_loaded, loaded.n_rejected) == (0, n_rows)


def test_rows_of_an_erased_person_leave_no_reason(warehouse, load_shown: Load) -> None:
    loaded = load_shown(shown(user_id="zoe"), not_erased=not_erased_sql(["key of zoe"]))
    assert (loaded.n_rejected, reasons(warehouse)) == (0, [])
    assert warehouse.execute("SELECT count(*) FROM raw_impressions").fetchone() == (0,)


def test_a_damaged_table_is_named_with_the_way_out(warehouse, published: Path, load_shown: Load) -> None:
    file = published / FIRST / "out_recommendations.parquet"
    file.write_bytes(b"PAR1" + bytes(40))
    with pytest.raises(
        InputDataError, match=r"the night 2026-01-05-00000001 published: move the night's folder"
    ):
        load_shown(shown())
    assert warehouse.execute("SELECT count(*) FROM raw_impressions").fetchone() == (0,)


def test_the_oldest_night_is_that_of_all_nights(warehouse, published: Path) -> None:
    found = published_lists(warehouse, [(path.name, path) for path in published.iterdir()])
    assert (found.oldest, [one.run_id for one in found.lists]) == (date(2026, 1, 5), [SECOND, FIRST])
    assert published_lists(warehouse, []).oldest is None
