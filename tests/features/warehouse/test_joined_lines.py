"""A file that joins another one: each line with its partner's values, none lost, none twice."""

import gzip
import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.contracts.mapping import SourceFile
from features.errors import InputDataError
from features.sources import declared
from features.sources.file_tables import parse_file_tables
from features.warehouse.load import LoadedFile, load_file
from features.warehouse.quality import data_quality
from features.warehouse.store import open_store
from reports.wording.sentences import say, say_rule
from tests.laws.said_of_lines import file_notes, rejected_lines
from tests.laws.sources import write

SHOP = """
[[files]]
path = "{main}"
time_zone = "UTC"
{keys}
join = {{ path = "{joined}", on = {on}{more} }}
[files.events]
ids.event_id = "row number"
columns.occurred_at = "start_day"
columns.user_id = "household"
columns.item_id = "coupon"
columns.session_id = "kind"
constants.event_type = "view"
"""
CAMPAIGNS = "campaign,start_day,kind\nA,2026-01-05T08:00:00,tv\nB,2026-01-06T09:30:00,\n"
TOUCHES = "campaign,household,coupon\nB,h1,c1\nA,h2,c2\nA,h1,c3\n"
ROWS = [
    ("c1", "2026-01-06 09:30", None),
    ("c2", "2026-01-05 08:00", "tv"),
    ("c3", "2026-01-05 08:00", "tv"),
]


def shop(
    folder: Path,
    main: str = "touches.csv",
    joined: str = "campaigns.csv",
    *,
    on: str = '"campaign"',
    more: str = "",
    keys: str = "",
    change: tuple[str, str] = ("", ""),
) -> SourceFile:
    toml = SHOP.format(main=main, joined=joined, on=on, more=more, keys=keys).replace(*change)
    [file] = declared.files(folder, parse_file_tables(tomllib.loads(toml)["files"]))
    return file


def load(warehouse: duckdb.DuckDBPyConnection, file: SourceFile, *, share: float = 1.0) -> LoadedFile:
    loaded = load_file(
        warehouse, file, pseudonym_sql="'key of ' || user_id", key_id="k1", max_rejected_share=share, say=say
    )
    assert loaded.n_loaded + loaded.n_rejected == loaded.n_lines
    return loaded


def events(warehouse: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return warehouse.execute(
        "SELECT item_id, strftime(occurred_at, '%Y-%m-%d %H:%M'), session_id "
        "FROM raw_events ORDER BY file_line"
    ).fetchall()


def rejected(warehouse: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return rejected_lines(warehouse)


def notes(warehouse: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return file_notes(warehouse)


def as_lines(text: str) -> str:
    header, *rows = (line.split(",") for line in text.splitlines())
    return "".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in rows)


def as_parquet(text: str, path: Path) -> None:
    pl.read_csv(text.encode(), infer_schema=False).write_parquet(path)


@pytest.mark.parametrize("main", ["touches.csv", "touches.csv.gz", "touches.jsonl", "touches.parquet"])
@pytest.mark.parametrize(
    "joined", ["plan/campaigns.csv", "campaigns.tsv.gz", "campaigns.jsonl", "campaigns.parquet"]
)
def test_every_format_joins_every_other(
    tmp_path: Path, warehouse: duckdb.DuckDBPyConnection, main: str, joined: str
) -> None:
    for name, text in ((main, TOUCHES), (joined, CAMPAIGNS)):
        if name.endswith("parquet"):
            as_parquet(text, tmp_path / name)
        else:
            said = as_lines(text) if ".jsonl" in name else text
            said = said.replace(",", "\t") if ".tsv" in name else said
            packed = gzip.compress(said.encode(), mtime=0) if name.endswith(".gz") else said
            write(tmp_path, {name: packed})

    loaded = load(warehouse, shop(tmp_path, main, joined))

    assert (loaded.n_lines, loaded.n_rejected) == (3, 0)
    assert events(warehouse) == ROWS


def test_both_files_may_have_an_encoding_of_their_own(
    tmp_path: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    campaigns = CAMPAIGNS.replace("A,", "Frühling,").replace(",tv", ",Fernsehen für alle")
    write(tmp_path, {"touches.csv": TOUCHES.replace("A,", "Frühling,").encode("utf-16")})
    write(tmp_path, {"campaigns.csv": ("Plan 2026\n" + campaigns.replace(",", ";")).encode("cp1252")})
    more = ', encoding = "cp1252", delimiter = ";", skip_lines = 1'

    assert load(warehouse, shop(tmp_path, more=more)).n_rejected == 0
    assert events(warehouse)[1] == ("c2", "2026-01-05 08:00", "Fernsehen für alle")


def test_a_line_without_a_partner_is_kept_and_rejected_where_the_value_is_needed(
    tmp_path: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    write(tmp_path, {"campaigns.csv": CAMPAIGNS, "touches.csv": TOUCHES + "\nC,h3,c4\n,h3,c5\nA,h3,c6\n"})

    loaded = load(warehouse, shop(tmp_path))

    assert (loaded.n_lines, loaded.n_rejected) == (6, 2)
    reason = "occurred_at is missing; campaigns.csv has no line with its campaign"
    assert rejected(warehouse) == [(6, reason), (7, reason)]
    assert "campaigns.csv by campaign: 2 of 6 lines;" in notes(warehouse)["lines_without_partner"]
    assert [row[0] for row in events(warehouse)] == ["c1", "c2", "c3", "c6"]


def test_a_line_without_a_partner_is_loaded_where_nothing_is_needed_of_it(
    tmp_path: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    write(tmp_path, {"campaigns.csv": CAMPAIGNS, "touches.csv": "campaign,household,coupon\nC,h1,c1\n"})
    change = ('columns.occurred_at = "start_day"', 'constants.occurred_at = "2026-01-01T00:00:00Z"')

    assert load(warehouse, shop(tmp_path, change=change)).n_rejected == 0
    assert events(warehouse) == [("c1", "2026-01-01 00:00", None)]
    quality = data_quality(warehouse, "run", say, say_rule).filter(pl.col("rule") == "line without a partner")
    assert quality["reason"].to_list() == [
        "without a partner in campaigns.csv by campaign: 1 of 1 lines; its columns are null in these lines"
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (CAMPAIGNS + "\nA,2026-02-01T00:00:00,mail\n", r"lines 2 and 5 have the same campaign\. A line"),
        (
            CAMPAIGNS + "B,2026-02-01T00:00:00,x\nA,2026-02-01T00:00:00,x\nA,2026-02-02T00:00:00,x\n",
            r"lines 2 and 5 have the same campaign, and 1 more keys stand on several lines",
        ),
        (CAMPAIGNS + "C,2026-01-07\n", r"campaigns\.csv can't be joined: line 4: the line has fewer fields"),
        (
            "campaign,kind\nA,tv\n",
            r"touches\.csv and campaigns\.csv, which it joins, lack the columns start_day",
        ),
        ("camp,start_day,kind\n", r"campaigns\.csv lacks the columns campaign; it has camp, start_day, kind"),
        ("", r"campaigns\.csv lacks the columns campaign; it has no columns"),
    ],
)
def test_a_joined_file_that_can_mislead_is_refused(
    tmp_path: Path, warehouse: duckdb.DuckDBPyConnection, content: str, said: str
) -> None:
    write(tmp_path, {"campaigns.csv": content, "touches.csv": TOUCHES})

    with pytest.raises(InputDataError, match=said):
        load(warehouse, shop(tmp_path))
    assert events(warehouse) == []


def test_a_broken_line_of_a_joined_json_file_is_named(
    tmp_path: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    write(tmp_path, {"campaigns.jsonl": as_lines(CAMPAIGNS) + '"C"\n', "touches.csv": TOUCHES})

    with pytest.raises(
        InputDataError, match=r"campaigns\.jsonl can't be joined: line 3: the line is not a JSON"
    ):
        load(warehouse, shop(tmp_path, joined="campaigns.jsonl"))


def test_lines_without_a_key_are_nobodys_partner_and_no_repetition(
    tmp_path: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    write(tmp_path, {"campaigns.csv": CAMPAIGNS + ",2026-01-07T00:00:00,\n,2026-01-08T00:00:00,\n"})
    write(tmp_path, {"touches.csv": TOUCHES})

    assert load(warehouse, shop(tmp_path)).n_rejected == 0
    assert events(warehouse) == ROWS


def test_a_name_that_both_files_have_is_refused_until_a_prefix_distinguishes_them(
    tmp_path: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    campaigns = CAMPAIGNS.replace("kind", "Coupon")
    write(tmp_path, {"campaigns.csv": campaigns, "touches.csv": TOUCHES})
    theirs = ('columns.session_id = "kind"', "expressions.session_id = '\"plan.Coupon\"'")
    own = ('columns.session_id = "kind"', 'columns.session_id = "coupon"')

    with pytest.raises(InputDataError, match=r"both have coupon\. Set join\.prefix"):
        load(warehouse, shop(tmp_path, change=own))
    prefix = ', prefix = "plan."'
    start = ('"start_day"', '"plan.start_day"')
    toml = SHOP.replace(*theirs).replace(*start)
    [table] = tomllib.loads(
        toml.format(main="touches.csv", joined="campaigns.csv", on='"campaign"', more=prefix, keys="")
    )["files"]
    [file] = declared.files(tmp_path, parse_file_tables([table]))
    load(warehouse, file)
    assert events(warehouse) == ROWS


def test_keys_may_be_called_differently_and_be_several(
    tmp_path: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    campaigns = "name,land,start_day,kind\nA,de,2026-01-05T08:00:00,tv\nA,fr,2026-01-09T08:00:00,mail\n"
    touches = "promo,country,household,coupon\nA,fr,h1,c1\nA,de,h2,c2\nA,it,h2,c3\n"
    write(tmp_path, {"campaigns.csv": campaigns, "touches.csv": touches})

    load(warehouse, shop(tmp_path, on='{ promo = "name", country = "land" }'))

    assert events(warehouse) == [("c1", "2026-01-09 08:00", "mail"), ("c2", "2026-01-05 08:00", "tv")]
    assert [line for line, _ in rejected(warehouse)] == [4]


def test_trim_and_null_words_hold_for_the_joined_file_too(
    tmp_path: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    campaigns = CAMPAIGNS.replace("A,", " A ,").replace(",tv", ", - ") + "-,2026-01-07T00:00:00,x\n"
    write(tmp_path, {"campaigns.csv": campaigns, "touches.csv": TOUCHES + " - ,h1,c4\n"})

    load(warehouse, shop(tmp_path, keys='trim = true\nnull_values = ["-"]'))

    assert events(warehouse) == [(*row[:2], None) for row in ROWS]
    assert [line for line, _ in rejected(warehouse)] == [5]


def test_a_changed_joined_file_reads_its_lines_again(
    tmp_path: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    write(tmp_path, {"campaigns.csv": CAMPAIGNS, "touches.csv": TOUCHES})
    first = load(warehouse, shop(tmp_path))
    assert (load(warehouse, shop(tmp_path)).outcome, first.outcome) == ("unchanged", "loaded")
    assert first.joined is not None

    write(tmp_path, {"campaigns.csv": CAMPAIGNS.replace("2026-01-05T08", "2026-01-04T08")})
    again = load(warehouse, shop(tmp_path))

    assert (again.outcome, again.sha256) == ("replaced", first.sha256)
    assert again.joined is not None
    assert again.joined[0] == "campaigns.csv"
    assert again.joined != first.joined
    assert events(warehouse)[1] == ("c2", "2026-01-04 08:00", "tv")
    assert "the file that it joins has changed" in notes(warehouse)["mapping_or_join_changed"]
    assert load(warehouse, shop(tmp_path)).outcome == "unchanged"


def test_a_list_of_rows_knows_its_partner(tmp_path: Path, warehouse: duckdb.DuckDBPyConnection) -> None:
    c1, c2, c3 = ({"id": name} for name in ("c1", "c2", "c3"))
    lines = [{"campaign": "B", "household": "h1", "seen": [c1, c2]}, {"campaign": "A", "seen": [c3]}]
    write(tmp_path, {"touches.jsonl": "".join(json.dumps(line) + "\n" for line in lines)})
    write(tmp_path, {"campaigns.csv": CAMPAIGNS})
    change = (
        'columns.item_id = "coupon"',
        'elements = "seen"\nexpressions.item_id = "json_value(element, \'$.id\')"',
    )

    load(warehouse, shop(tmp_path, "touches.jsonl", change=change))

    assert [row[:2] for row in events(warehouse)] == [
        ("c1", "2026-01-06 09:30"),
        ("c2", "2026-01-06 09:30"),
        ("c3", "2026-01-05 08:00"),
    ]


def test_no_key_of_a_person_is_quoted_where_a_joined_file_is_refused(
    tmp_path: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    homes = "household,start_day,kind\nanna@example.org,2026-01-05T00:00:00,x\n"
    write(tmp_path, {"homes.csv": homes + homes.splitlines()[1] + "\n", "touches.csv": TOUCHES})

    with pytest.raises(InputDataError, match="lines 2 and 3 have the same household") as refusal:
        load(warehouse, shop(tmp_path, joined="homes.csv", on='"household"'))
    assert "anna" not in str(refusal.value)


KEYS = st.text(st.sampled_from("ABab ä'\"1"), max_size=2)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    campaigns=st.dictionaries(KEYS, st.integers(1, 28), max_size=6),
    touched=st.lists(KEYS, min_size=1, max_size=12),
    is_trimmed=st.booleans(),
)
def test_a_join_is_a_look_up_in_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory,
    campaigns: dict[str, int],
    touched: list[str],
    is_trimmed: bool,
) -> None:
    folder = tmp_path_factory.mktemp("shop")
    clean: Callable[[str], str] = (lambda key: key.strip(" ")) if is_trimmed else str
    known: dict[str, int] = {}
    for key, day in campaigns.items():
        known.setdefault(clean(key), day)
    pl.DataFrame(
        {"campaign": list(known), "start_day": [f"2026-01-{day:02}T00:00:00" for day in known.values()]},
        schema={"campaign": pl.String, "start_day": pl.String},
    ).with_columns(kind=pl.lit("x")).write_csv(folder / "campaigns.csv", quote_style="always")
    pl.DataFrame(
        {"campaign": touched, "coupon": [f"c{place}" for place in range(len(touched))]}
    ).with_columns(household=pl.lit("h")).write_csv(folder / "touches.csv", quote_style="always")
    partners = [known.get(clean(key)) if clean(key) else None for key in touched]

    with open_store(folder / "shop.duckdb") as warehouse:
        loaded = load(warehouse, shop(folder, keys="trim = true" if is_trimmed else ""))

        assert (loaded.n_lines, loaded.n_rejected) == (len(touched), partners.count(None))
        assert [row[:2] for row in events(warehouse)] == [
            (f"c{place}", f"2026-01-{day:02} 00:00") for place, day in enumerate(partners) if day
        ]
        assert [line for line, _ in rejected(warehouse)] == [
            place + 2 for place, day in enumerate(partners) if day is None
        ]


def test_a_joined_file_that_changes_under_way_is_refused(
    tmp_path: Path, warehouse: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"campaigns.csv": CAMPAIGNS, "touches.csv": TOUCHES})
    file = shop(tmp_path)

    def edited(place: str) -> None:
        if place == "after the file is read":
            write(tmp_path, {"campaigns.csv": CAMPAIGNS + "C,2026-01-05T08:00:00,tv\n"})

    monkeypatch.setattr("features.warehouse.load.crash_point", edited)
    with pytest.raises(InputDataError, match=r"campaigns\.csv changed while it was read"):
        load(warehouse, file)
    assert events(warehouse) == []


def test_the_same_touches_joined_otherwise_are_not_twins(
    tmp_path: Path, warehouse: duckdb.DuckDBPyConnection
) -> None:
    write(tmp_path, {"campaigns.csv": CAMPAIGNS, "touches.csv": TOUCHES, "other.csv": TOUCHES})
    write(tmp_path, {"plan.csv": CAMPAIGNS.replace("2026", "2025")})

    load(warehouse, shop(tmp_path))
    other = load(warehouse, shop(tmp_path, "other.csv", "plan.csv"))

    assert (other.outcome, other.twin_of) == ("loaded", None)
    assert replace(other, name="").n_loaded == 3
