import re
import tomllib
from pathlib import Path

import pytest

from features.errors import InputDataError, UsageError
from features.sources import declared
from features.sources.file_tables import FileTable, parse_file_tables
from features.sources.join_table import JOIN_KEYS
from tests.laws.sources import write

TABLE = """
[[files]]
path = "touches.csv"
join = {join}
[files.events]
ids.event_id = "row number"
columns.occurred_at = "start_day"
columns.user_id = "household"
columns.item_id = "campaign"
constants.event_type = "view"
"""


def parse(join: str, *, more: str = "") -> FileTable:
    [table] = parse_file_tables(tomllib.loads('[[files]]\ntime_zone = "UTC"\n' + _body(join) + more)["files"])
    return table


def _body(join: str) -> str:
    return TABLE.replace("{join}", join).replace("[[files]]\n", "")


@pytest.mark.parametrize(
    ("on", "pairs"),
    [
        ('"campaign"', (("campaign", "campaign"),)),
        ('["campaign", "country"]', (("campaign", "campaign"), ("country", "country"))),
        ('{ promo = "campaign" }', (("promo", "campaign"),)),
        ('{ promo = "campaign", land = "country" }', (("promo", "campaign"), ("land", "country"))),
    ],
)
def test_on_names_the_columns_that_say_the_same(on: str, pairs: tuple[tuple[str, str], ...]) -> None:
    join = parse(f'{{ path = "plan/campaigns.tsv.gz", on = {on} }}').join

    assert join is not None
    assert (join.on, join.form.file_format, join.form.delimiter) == (pairs, "csv", "\t")


@pytest.mark.parametrize(
    ("join", "said"),
    [
        ('"campaigns.csv"', "join must be a table"),
        ('{ on = "campaign" }', "join.path must be a text in quotes"),
        ('{ path = "campaigns.csv" }', "join.on must name the column that selects the line of campaigns.csv"),
        ('{ path = "campaigns.csv", on = [] }', "join.on must name the column"),
        ('{ path = "campaigns.csv", on = 3 }', "join.on must be a text in quotes, or a list"),
        ('{ path = "campaigns.csv", on = { promo = 3 } }', "join.on.promo must be a text in quotes"),
        ('{ path = "*.csv", on = "campaign" }', "join.path = '.*' must name one file"),
        ('{ path = "../campaigns.csv", on = "campaign" }', "join.path = .* must lead from shop.logs"),
        ('{ path = "campaigns.xlsx", on = "campaign" }', "join.format must be csv, jsonl or parquet"),
        ('{ path = "campaigns.csv", key = "campaign" }', "join.key is not a known key"),
        ('{ path = "campaigns.csv", on = "campaign", encoding = "latin-99" }', "join.encoding = 'latin-99'"),
    ],
)
def test_a_fault_in_a_join_is_reported_with_its_key(join: str, said: str) -> None:
    with pytest.raises(UsageError, match=rf"^files\[0\]\.{said}"):
        parse(join)


@pytest.mark.parametrize(
    ("join", "column"),
    [
        ('{ path = "homes.csv", on = "household" }', "household"),
        ('{ path = "homes.csv", on = "household" }', "HOUSEHOLD"),
        ('{ path = "homes.csv", on = { household = "home" } }', "home"),
        ('{ path = "homes.csv", on = { household = "home" } }', "Home"),
        ('{ path = "homes.csv", on = { household = "home" }, prefix = "of " }', "of home"),
    ],
)
def test_a_user_id_leaks_through_no_name_of_a_join(join: str, column: str) -> None:
    with pytest.raises(UsageError, match=rf"events\.session_id reads {column}, which is a user id"):
        parse(join, more=f'columns.session_id = "{column}"\n')


def test_a_user_id_of_the_joined_file_stays_a_user_id() -> None:
    join = '{ path = "visits.csv", on = "visit" }'
    parse(join, more='columns.session_id = "visit"\n')

    with pytest.raises(UsageError, match=r"session_id reads household, which is a user id"):
        parse(join, more='expressions.session_id = "household || visit"\n')


def test_a_joined_file_must_be_there_and_be_another_one(tmp_path: Path) -> None:
    write(tmp_path, {"touches.csv": "campaign,household\n", "plan.csv": "campaign,start_day\n"})

    with pytest.raises(InputDataError, match=r"no file campaigns\.csv in .*, which touches\.csv joins"):
        declared.files(tmp_path, [parse('{ path = "campaigns.csv", on = "campaign" }')])
    with pytest.raises(UsageError, match=r"matches touches\.csv, which its own table joins"):
        declared.files(tmp_path, [parse('{ path = "touches.csv", on = "campaign" }')])
    [file] = declared.files(tmp_path, [parse('{ path = "plan.csv", on = "campaign" }')])
    assert file.join is not None
    assert file.join.file.name == "plan.csv"


def test_the_readme_explains_every_key_of_a_join() -> None:
    page = (Path(__file__).parents[3] / "features" / "README.md").read_text()

    for key in JOIN_KEYS:
        assert re.search(rf"^\| .*`{key}`.* \|", page, re.MULTILINE), key
