import math
from pathlib import Path

import polars as pl
import pytest

from features.contracts.outputs import OUTPUTS
from features.errors import MetacartError
from reports.summaries.night import Manifest, night, read_night
from tests.reports.sample_nights import demo_night, open_bandit_night, tiny_night


@pytest.mark.parametrize("make", [demo_night, open_bandit_night, tiny_night])
def test_sample_nights_keep_the_contracts(make) -> None:
    for name, frame in make().tables.items():
        OUTPUTS[name].validate(frame)


def test_a_column_that_the_contract_asks_for_is_named_when_it_lacks() -> None:
    tables = {"out_verdicts": tiny_night().tables["out_verdicts"].drop("lower")}

    with pytest.raises(MetacartError, match="out_verdicts lacks the columns lower"):
        night(tables, {})


def test_numbers_that_are_not_finite_become_null() -> None:
    values = (
        tiny_night().tables["out_policy_values"].with_columns(lower=pl.lit(math.nan), ess=pl.lit(math.inf))
    )

    rows = night({"out_policy_values": values}, {}).rows("out_policy_values")

    assert rows["lower"].null_count() == rows["ess"].null_count() == rows.height


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MetacartError, match="no folder"):
        read_night(tmp_path / "nowhere")


def test_a_folder_without_anything_is_a_night_without_tables(tmp_path: Path) -> None:
    found = read_night(tmp_path)

    assert found.missing() == tuple(OUTPUTS)
    assert found.rows("out_verdicts").is_empty()


def test_a_shop_without_ads_lacks_no_table_of_ads() -> None:
    sample = open_bandit_night()

    found = night(sample.tables, sample.manifest)

    assert found.has_no_ads()
    assert found.missing() == ()


@pytest.mark.parametrize("spoken_of_by", ["out_policy_values", "out_ad_targeting", "out_data_quality"])
def test_a_shop_with_ads_anywhere_misses_its_budget(spoken_of_by: str) -> None:
    without, ads = open_bandit_night(), demo_night()
    tables = without.tables | {spoken_of_by: ads.tables[spoken_of_by]}

    found = night(tables, without.manifest)

    assert not found.has_no_ads()
    assert "out_budget_allocation" in found.missing()


@pytest.mark.parametrize("lost", ["out_policy_values", "out_data_quality"])
def test_where_the_tables_that_would_tell_are_lost_ads_may_exist(lost: str) -> None:
    tables = {name: frame for name, frame in open_bandit_night().tables.items() if name != lost}

    assert set(night(tables, {}).missing()) == {lost, "out_ad_targeting", "out_budget_allocation"}


def test_an_unknown_unit_counts_as_users() -> None:
    assert night({}, {"shop": "x", "unit": None, "rows": 3}).manifest.unit == "user"


@pytest.mark.parametrize(
    ("data_to", "days"), [("2026-01-05", 0), ("2026-01-03T23:59:00+00:00", 2), ("2026-01-06", -1), ("", None)]
)
def test_freshness_counts_days_between_last_log_and_night(data_to: str, days: int | None) -> None:
    assert Manifest(as_of="2026-01-05", data_to=data_to).days_behind == days
