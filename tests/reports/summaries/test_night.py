import math
from pathlib import Path

import polars as pl
import pytest

from features.contracts.findings import finding
from features.contracts.outputs import OCCASIONAL, OUTPUTS
from features.errors import MetacartError
from flows.stages.worded import worded_manifest
from reports.summaries.night import Manifest, night, read_night
from tests.reports.sample_nights import (
    budget_only_night,
    demo_night,
    open_bandit_night,
    tiny_night,
    undecided_night,
)

OWED = tuple(name for name in OUTPUTS if name not in OCCASIONAL)


@pytest.mark.parametrize(
    "make", [demo_night, open_bandit_night, tiny_night, budget_only_night, undecided_night]
)
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
    with pytest.raises(MetacartError, match="not a folder"):
        read_night(tmp_path / "nowhere")


def test_a_folder_without_anything_is_a_night_without_tables(tmp_path: Path) -> None:
    found = read_night(tmp_path)

    assert found.missing() == OWED
    assert found.rows("out_verdicts").is_empty()


BUDGET = ("out_budget_allocation", "out_budget_totals")
JUDGED = ("out_policy_values", "out_verdicts", "out_segment_tasks", "out_learning_curves")


@pytest.mark.parametrize(
    ("undecided", "not_expected"),
    [
        (("recommendation",), ("out_recommendations",)),
        (("advertising",), ("out_ad_targeting",)),
        (("budget",), BUDGET),
        (("advertising", "budget"), ("out_ad_targeting", *BUDGET)),
        (("recommendation", "advertising"), ("out_recommendations", "out_ad_targeting", *JUDGED)),
    ],
)
def test_a_night_lacks_no_table_of_what_it_left_undecided(
    undecided: tuple[str, ...], not_expected: tuple[str, ...]
) -> None:
    manifest = worded_manifest(
        {name: finding("no_rows", name, as_of="2026-01-05") for name in undecided}, {}, []
    )
    empty = {name: contract.create_empty() for name, contract in OUTPUTS.items()}
    expected = set(OWED) - set(not_expected)

    assert set(night({}, manifest).missing()) == expected
    assert set(night(empty, manifest).empty()) == expected


def test_a_night_that_decided_nothing_owes_its_data_quality_alone() -> None:
    assert night({}, undecided_night().manifest).missing() == ("out_data_quality",)


@pytest.mark.parametrize("undecided", [{}, {"undecided": None}, {"undecided": {}}])
def test_a_manifest_that_names_nothing_undecided_owes_every_table(undecided: dict[str, None]) -> None:
    assert night({}, {"shop": "x"} | undecided).missing() == OWED


def test_a_manifest_with_sentences_alone_is_refused() -> None:
    with pytest.raises(MetacartError, match="has notes in sentences and no findings"):
        night({}, {"undecided": {"budget": "The logs hold no ad spend."}})


def test_an_unknown_unit_counts_as_users() -> None:
    assert night({}, {"shop": "x", "unit": None, "rows": 3}).manifest.unit == "user"


@pytest.mark.parametrize(
    ("data_to", "days"), [("2026-01-05", 0), ("2026-01-03T23:59:00+00:00", 2), ("2026-01-06", -1), ("", None)]
)
def test_freshness_counts_days_between_last_log_and_night(data_to: str, days: int | None) -> None:
    assert Manifest(as_of="2026-01-05", data_to=data_to).days_behind == days
