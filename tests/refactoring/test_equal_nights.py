"""Nights count as equal where they are, and each kind of difference is found and named."""

from pathlib import Path

import polars as pl
import pytest

from features.contracts.outputs import OUTPUTS
from tests.refactoring.equal_nights import differences, grain

VALUES = pl.DataFrame(
    {
        "run_id": ["2026-01-05-aa", "2026-01-05-aa"],
        "domain": ["advertising", "recommendation"],
        "segment_id": ["all", "all"],
        "policy": ["logging", "maml"],
        "estimator": ["dr", "dr"],
        "value": [0.1, 0.3],
        "n_rounds": [10, 20],
    }
)


def night(folder: Path, values: pl.DataFrame = VALUES, name: str = "out_policy_values") -> Path:
    """Publish one table."""
    folder.mkdir(exist_ok=True)
    values.write_parquet(folder / f"{name}.parquet")
    return folder


def test_another_run_id_another_order_and_seconds_are_no_difference(tmp_path: Path) -> None:
    other = VALUES.with_columns(run_id=pl.lit("2026-01-05-bb"), seconds=pl.lit(2.0))
    before = night(tmp_path / "before", VALUES.with_columns(seconds=pl.lit(1.0)))
    after = night(tmp_path / "after", other.reverse())
    assert differences(before, after) == []


def test_a_run_id_inside_a_text_is_no_difference(tmp_path: Path) -> None:
    named = [VALUES.with_columns(policy=pl.lit("maml-2026-01-05-aa"))]
    named += [
        VALUES.with_columns(policy=pl.lit("maml-2026-01-05-bb"), run_id=pl.lit("2026-01-05-bb")),
    ]
    before, after = (night(tmp_path / str(place), values) for place, values in enumerate(named))
    assert differences(before, after) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (VALUES.with_columns(pl.col("value") * (1 + 1e-15)), "out_policy_values.value: "),
        (VALUES.with_columns(pl.col("n_rounds") + 1), "out_policy_values.n_rounds: 2 of 2 rows, the first"),
        (VALUES.with_columns(policy=pl.lit("logging")), "out_policy_values.policy: 1 of 2 rows"),
        (VALUES.with_columns(value=None), "out_policy_values.value: Float64, then Null"),
        (VALUES.with_columns(pl.col("n_rounds").cast(pl.Int32)), "out_policy_values.n_rounds: Int64"),
        (VALUES.drop("value"), "out_policy_values.value: only in the night before"),
        (VALUES.with_columns(ess=1.0), "out_policy_values.ess: only in the night after"),
        (VALUES.head(1), "out_policy_values: 2 rows, then 1"),
    ],
)
def test_each_difference_is_named(tmp_path: Path, change: pl.DataFrame, said: str) -> None:
    before, after = night(tmp_path / "before"), night(tmp_path / "after", change)
    [found] = differences(before, after)
    assert found.startswith(said)


def test_a_value_that_became_null_is_a_difference(tmp_path: Path) -> None:
    gone = VALUES.with_columns(pl.when(policy="logging").then("value").alias("value"))
    before, after = night(tmp_path / "before"), night(tmp_path / "after", gone)
    [found] = differences(before, after, tolerance=0.5)
    assert found.startswith("out_policy_values.value: 1 of 2 rows")


def test_a_table_of_one_night_alone_is_named(tmp_path: Path) -> None:
    before, after = night(tmp_path / "before"), night(tmp_path / "after")
    night(after, name="out_verdicts")
    [found] = differences(before, after)
    assert found.startswith("out_verdicts: only one night has it")


def test_a_tolerance_lets_last_digits_pass_and_no_more(tmp_path: Path) -> None:
    before = night(tmp_path / "before")
    close = night(tmp_path / "close", VALUES.with_columns(pl.col("value") * (1 + 1e-13)))
    far = night(tmp_path / "far", VALUES.with_columns(pl.col("value") * (1 + 1e-11)))
    assert differences(before, close, tolerance=1e-12) == []
    assert len(differences(before, far, tolerance=1e-12)) == 1


def test_what_is_allowed_may_differ(tmp_path: Path) -> None:
    before = night(tmp_path / "before")
    after = night(tmp_path / "after", VALUES.with_columns(pl.col("value") + 1))
    assert differences(before, after, allowed=["out_policy_values.value"]) == []
    assert differences(before, after, allowed=["out_policy_values"]) == []
    assert differences(before, after, allowed=["out_policy_values.ess"]) != []


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_table_is_sorted_by_columns_that_it_has(name: str) -> None:
    assert grain(name)
    assert set(grain(name)) <= set(OUTPUTS[name].column_names())
