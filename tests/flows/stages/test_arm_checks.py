"""Two arms on the same days: each one's log must tell what the other was seen to earn."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from features.sources import fetch_open_bandit
from features.warehouse.store import open_store
from flows.settings import Settings, read_settings
from flows.shops import OPEN_BANDIT, write_config
from flows.stages.arm_checks import arm_checks
from flows.stages.ingest import ingest
from flows.workspace import Workspace

N_ITEMS, N_ROUNDS = 4, 4000
CLICK_RATES = np.array([0.05, 0.1, 0.2, 0.4])
ARMS = {"even": np.full(N_ITEMS, 0.25), "steep": np.array([0.1, 0.2, 0.3, 0.4])}
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as memory:
        memory.execute("SET TimeZone = 'UTC'")
        yield memory


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(shop={"name": "shop", "source": "files", "logs": tmp_path}, evaluation={"resamples": 200})


def log_of(arm: str, seed: int, *, first: datetime = FIRST, propensity: bool = True) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    items = draw.choice(N_ITEMS, N_ROUNDS, p=ARMS[arm])
    return pl.DataFrame(
        {
            "domain": "recommendation",
            "round_id": [f"{arm}-{number}" for number in range(N_ROUNDS)],
            "surface": "home",
            "policy_version": arm,
            "decided_date": [(first + timedelta(days=number % 5)).date() for number in range(N_ROUNDS)],
            "slot": 1,
            "action_id": [f"item-{item}" for item in items],
            "user_key": pl.Series([None] * N_ROUNDS, dtype=pl.String),
            "propensity": ARMS[arm][items] if propensity else pl.Series([None] * N_ROUNDS, dtype=pl.Float64),
            "is_clicked": draw.random(N_ROUNDS) < CLICK_RATES[items],
            "is_converted": False,
            "is_mature": True,
        }
    )


def checks_of(connection: duckdb.DuckDBPyConnection, settings: Settings, *logs: pl.DataFrame) -> pl.DataFrame:
    connection.register("fct_rounds", pl.concat(logs).to_arrow())
    return arm_checks(connection, settings, "run")


def test_each_log_tells_what_the_other_arm_earned(
    connection: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    checks = checks_of(connection, settings, log_of("even", 1), log_of("steep", 2))

    assert checks.select("policy_version", "logged_by").rows() == [("even", "steep"), ("steep", "even")]
    assert checks["is_covered"].to_list() == [True, True]
    assert checks["is_trusted"].to_list() == [True, True]
    steep = checks.row(1, named=True)
    # 0.1 * 0.05 + 0.2 * 0.1 + 0.3 * 0.2 + 0.4 * 0.4
    assert steep["value"] == pytest.approx(0.245, abs=0.03)
    assert steep["lower"] < 0.245 < steep["upper"]


def test_wrong_propensities_are_found_out(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    lying = log_of("steep", 2).with_columns(propensity=pl.col("propensity") / 2)

    check = checks_of(connection, settings, log_of("even", 1), lying).row(0, named=True)

    assert not check["is_trusted"]
    assert "mean weight" in check["reasons"]


def test_arms_that_never_ran_together_are_not_compared(
    connection: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    later = log_of("steep", 2, first=FIRST + timedelta(days=5))

    assert checks_of(connection, settings, log_of("even", 1), later).is_empty()


def test_an_arm_without_propensities_is_not_compared(
    connection: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    silent = log_of("steep", 2, propensity=False)

    assert checks_of(connection, settings, log_of("even", 1), silent).is_empty()


def test_what_is_on_sale_on_some_days_only_accuses_nobody(
    connection: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    """The last item is sold out on every second day, and what it would have got goes to the others."""

    def sold_out(arm: str, seed: int) -> pl.DataFrame:
        log, draw = log_of(arm, seed), np.random.default_rng(seed)
        odd = np.array([date.day % 2 == 1 for date in log["decided_date"]])
        rest = np.r_[ARMS[arm][:-1] / ARMS[arm][:-1].sum(), 0.0]
        by_round = np.where(odd[:, np.newaxis], rest, ARMS[arm])
        items = (draw.random((N_ROUNDS, 1)) > by_round.cumsum(axis=1)[:, :-1]).sum(axis=1)
        return log.with_columns(
            action_id=pl.Series([f"item-{item}" for item in items]),
            propensity=pl.Series(by_round[np.arange(N_ROUNDS), items]),
            is_clicked=pl.Series(draw.random(N_ROUNDS) < CLICK_RATES[items]),
        )

    checks = checks_of(connection, settings, sold_out("even", 1), sold_out("steep", 2))

    assert checks["mean_weight"].to_list() == pytest.approx([1, 1], abs=0.05)
    assert not checks["reasons"].str.contains("propensities").any()


def personal(log: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The same arm, were it to like the first two items or the last two, by turns of a coin."""
    draw = np.random.default_rng(seed)
    tastes = np.array([[0.4, 0.4, 0.1, 0.1], [0.1, 0.1, 0.4, 0.4]])[draw.integers(0, 2, log.height)]
    items = (draw.random((log.height, 1)) > tastes.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return log.with_columns(
        action_id=pl.Series([f"item-{item}" for item in items]),
        propensity=pl.Series(tastes[np.arange(log.height), items]),
    )


def test_an_arm_that_looks_at_a_context_is_not_taken_for_its_average(
    connection: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    checks = checks_of(connection, settings, log_of("even", 1), personal(log_of("steep", 2), 3))

    even, steep = checks.iter_rows(named=True)
    assert even["is_trusted"]
    assert not steep["is_trusted"]
    assert "it looks at a context" in steep["reasons"]
    assert "propensities" not in steep["reasons"]


def test_an_arm_that_learns_as_time_goes_by_is_checked(
    connection: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    """From even to steep over five days: its propensities move, but not from one round to the next."""
    draw = np.random.default_rng(5)
    day = np.sort(np.arange(N_ROUNDS) % 5)
    by_day = [(1 - d / 4) * ARMS["even"] + d / 4 * ARMS["steep"] for d in range(5)]
    items = np.array([draw.choice(N_ITEMS, p=by_day[d]) for d in day])
    learning = log_of("steep", 2).with_columns(
        action_id=pl.Series([f"item-{item}" for item in items]),
        propensity=pl.Series([by_day[d][item] for d, item in zip(day, items, strict=True)]),
        decided_date=pl.Series([(FIRST + timedelta(days=int(d))).date() for d in day]),
        is_clicked=pl.Series(draw.random(N_ROUNDS) < CLICK_RATES[items]),
    )

    checks = checks_of(connection, settings, log_of("even", 1), learning)

    assert checks["is_trusted"].to_list() == [True, True]


@pytest.mark.slow
def test_open_bandit_arms_tell_of_each_other_in_every_campaign(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    fetch_open_bandit.fetch(logs)
    config = tmp_path / "metacart.toml"
    write_config(config, OPEN_BANDIT, name="open_bandit", logs=logs, data=tmp_path / "data")
    workspace = Workspace(read_settings(config))
    ingest(workspace, date(2019, 12, 31))

    with open_store(workspace.warehouse) as connection:
        checks = arm_checks(connection, workspace.settings, "run")

    assert checks.height == 6
    assert checks["is_covered"].all()
    refused = checks.filter(~pl.col("is_trusted"))
    # The uniform arm from the women's bandit log: two effective rounds of ten thousand.
    assert refused.select("surface", "policy_version", "logged_by").rows() == [("women", "random", "bts")]
    assert refused["ess"][0] < 3
