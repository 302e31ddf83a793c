"""The second night reads what was shown of the first one's lists: exact propensities, or the reason why."""

import re
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from features.contracts.policy_versions import policy_of
from features.deidentify import pseudonym, read_key
from features.errors import InputDataError
from features.warehouse.store import open_store
from flows.night_folder import Night
from flows.settings import read_settings
from flows.stages.ingest import ingest, key_file
from flows.stages.night import run_night
from flows.stages.unpublish import unpublish
from flows.workspace import Workspace
from tests.flows.click_shop import click_shop
from tests.laws.said_of_lines import rejected_lines

PAGE = (Path(__file__).parents[3] / "flows" / "README.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## What the front end logs back\n")[2].partition("\n## ")[0]
[EXAMPLE] = re.findall(r"```csv\n(.*?)```", SECTION, re.DOTALL)
[TABLE] = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)
[NIGHT_OF_EXAMPLE] = set(re.findall(r",(\d{4}-\d{2}-\d{2}-[0-9a-f]{8})$", EXAMPLE, re.MULTILINE))

USERS, ITEMS = ("ann", "ben", "fay"), ("lamp", "rug", "mug", "vase")
FIRST, SECOND = date(2026, 1, 5), date(2026, 1, 6)


@dataclass(frozen=True)
class ServedShop:
    """A shop with clicks alone, after its first night; lists: what it published, with the users' ids."""

    shop: Workspace
    run_id: str
    lists: pl.DataFrame

    def log(self, rows: pl.DataFrame, name: str = "shown-06.csv", day: str = "2026-01-06") -> None:
        """Write a request log in the form of the README's."""
        shown = rows.with_row_index("n").select(
            impression_id=pl.format("{}-{}", pl.lit(name), "n"),
            shown_at=pl.lit(f"{day}T09:14:03Z"),
            visitor="user_id",
            visit=pl.format("v{}", "user_id"),
            surface=pl.lit("home"),
            slot="slot_rank",
            item_id="item_id",
            propensity="propensity",
            policy_version="policy_version",
            run_id="run_id",
        )
        assert shown.columns == EXAMPLE.splitlines()[0].split(",")
        shown.write_csv(self.shop.settings.shop.logs / name)

    def stored(self) -> pl.DataFrame:
        """Return the impressions of the warehouse."""
        with open_store(self.shop.warehouse) as connection:
            return connection.sql("FROM raw_impressions ORDER BY impression_id").pl()

    def quality(self, night: Night) -> pl.DataFrame:
        """Return what a night says of the request logs."""
        rows = self.shop.night_folder(night.run_id).table("out_data_quality")
        return rows.filter(pl.col("source_name").str.starts_with("shown-"))


@pytest.fixture(scope="module")
def after_first_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "shop"
    run_night(click_shop(folder).settings, FIRST)
    return folder


@pytest.fixture
def served(after_first_night: Path, tmp_path: Path) -> ServedShop:
    """A copy of the shop after its first night."""
    folder = tmp_path / "shop"
    shutil.copytree(after_first_night, folder)
    config = folder / "metacart.toml"
    config.write_text(f"{config.read_text()}\n{TABLE}")
    shop = Workspace(read_settings(config))
    current = shop.nights.current()
    assert current
    key = read_key(key_file(shop), create=False)
    users = pl.DataFrame({"user_key": [pseudonym(key, user) for user in USERS], "user_id": USERS})
    lists = pl.read_parquet(current.path / "out_recommendations.parquet").join(users, on="user_key")
    return ServedShop(shop, current.run_id, lists.sort("user_id", "slot_rank"))


def test_the_example_of_the_page_is_loaded_line_by_line(served: ServedShop) -> None:
    """Only the run_id of the example differs from the night's: it is a hash over settings and code."""
    example = EXAMPLE.replace(NIGHT_OF_EXAMPLE, served.run_id)
    (served.shop.settings.shop.logs / "shown-06.csv").write_text(example)

    night = ingest(served.shop, SECOND)

    assert served.quality(night).select("n_rows", "n_loaded", "n_rejected", "reason_codes").rows() == [
        (5, 5, 0, "all_lines_loaded")
    ]
    stored = served.stored()
    assert stored["propensity"].to_list() == [0.925, 0.925, 0.925, 0.925, 0.025]
    assert set(stored["run_id"]) == {served.run_id}
    assert [policy_of(version) for version in stored["policy_version"].unique()] == ["popularity"]


def test_the_second_night_has_exact_propensities_of_all_that_was_shown(served: ServedShop) -> None:
    served.log(served.lists)

    night = ingest(served.shop, SECOND)

    assert served.stored()["propensity"].sort().equals(served.lists["propensity"].sort())
    assert served.quality(night)["reason_codes"].to_list() == ["all_lines_loaded"]
    [why] = night.unproven.values()
    assert why.code == "acts_before_rewards"


NOT_SERVED = "not what was served: the lists of the night of 2026-01-05 have no such {} there"
NOT_PUBLISHED = "{} is of a night that this shop had not published before that day, or has taken back"
TAMPERED: list[tuple[dict[str, object], str]] = [
    (
        {"propensity": 0.5},
        "not what was served: propensity is 0.5, and the night of 2026-01-05 published 0.925 there",
    ),
    # each item has one place of a list
    ({"slot_rank": 1}, NOT_SERVED.format("item_id")),
    ({"slot_rank": 9}, NOT_SERVED.format("slot")),
    ({"user_id": "gus"}, NOT_SERVED.format("user_id")),
    ({"policy_version": "maml-2026-01-05-0a1b2c3d", "run_id": None}, NOT_PUBLISHED.format("policy_version")),
    ({"run_id": "2026-01-05-0a1b2c3d"}, NOT_PUBLISHED.format("run_id")),
    ({"run_id": "yesterday"}, "run_id is a text of 9 characters; it must look like"),
]
"""What is changed in a row of the log, and why it is rejected; the first rows of it, in this order."""


def tampered(lists: pl.DataFrame) -> pl.DataFrame:
    rows = lists.to_dicts()
    changed = [row | change for row, (change, _) in zip(rows, TAMPERED, strict=False)]
    return pl.DataFrame([*changed, *rows[len(changed) :]], schema=lists.schema)


def test_tampered_rows_are_quarantined_with_what_differs(served: ServedShop) -> None:
    served.log(tampered(served.lists))

    night = ingest(served.shop, SECOND)

    with open_store(served.shop.warehouse) as connection:
        found = rejected_lines(connection)
    assert [line for line, _ in found] == [n + 2 for n in range(len(TAMPERED))]
    for (_, said), (_, expected) in zip(found, TAMPERED, strict=True):
        assert said.startswith(expected)
    assert served.stored().height == served.lists.height - len(TAMPERED)
    quality = served.quality(night)
    [whole] = quality.filter(reason_codes="some_lines_rejected").to_dicts()
    assert whole["n_loaded"] + whole["n_rejected"] == whole["n_rows"] == served.lists.height
    codes = quality.filter(pl.col("reason_codes") != "some_lines_rejected")
    assert codes["n_rejected"].sum() == len(TAMPERED)
    assert set(codes["reason_codes"]) == {
        f"first_rejected_line {code}" for code in ("not_what_was_served", "nobody_published", "not_of_form")
    }


def test_propensities_of_another_night_refuse_a_file_of_them(served: ServedShop) -> None:
    """A front end that shows yesterday's lists beside the propensities of the day before."""
    served.log(served.lists.with_columns(propensity=pl.col("propensity") * 0.5))

    with pytest.raises(InputDataError, match=r"shown-06.csv: .* frequent reason, .*not what was served"):
        ingest(served.shop, SECOND)

    assert served.stored().is_empty()


def test_rows_of_a_night_that_was_taken_back_are_rejected(served: ServedShop) -> None:
    """A second night stands, and the first one's lists are no longer among those of the shop."""
    served.log(served.lists.head(1))
    second = run_night(served.shop.settings, SECOND).night
    lists = pl.read_parquet(served.shop.nights.of(second.run_id)[0].path / "out_recommendations.parquet")
    taken = lists.with_columns(user_id=pl.lit("ann")).head(1)
    unpublish(served.shop, second.run_id)
    shown = pl.concat([served.lists.head(1), taken.select(served.lists.columns)])
    served.log(shown, "shown-07.csv", "2026-01-07")

    night = ingest(served.shop, date(2026, 1, 7))

    said = served.quality(night).filter(pl.col("reason_codes").str.starts_with("first"))
    assert said["reason_codes"].to_list() == ["first_rejected_line nobody_published"]
    assert served.stored()["run_id"].to_list() == [served.run_id] * 2


def test_a_new_machine_with_nothing_but_the_warehouse_compares_with_its_copy(served: ServedShop) -> None:
    shutil.rmtree(served.shop.published)
    served.log(tampered(served.lists))

    night = ingest(served.shop, SECOND)

    assert served.quality(night)["n_rejected"].max() == len(TAMPERED)
    assert served.stored().height == served.lists.height - len(TAMPERED)


def test_a_new_machine_with_nothing_but_the_logs_loads_them_and_says_so(served: ServedShop) -> None:
    shutil.rmtree(served.shop.published)
    served.shop.warehouse.unlink()
    served.log(served.lists.with_columns(propensity=pl.col("propensity") * 0.5))

    night = ingest(served.shop, SECOND)

    unchecked = served.quality(night).filter(reason_codes="shown_rows_unchecked")
    assert unchecked["reason"][0].startswith(
        "rows of lists that could not be compared with what was published"
    )
    assert served.stored().height == served.lists.height
