"""Rounds, users and rewards of a shop's log, for a plan of what it could show."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import duckdb

from features.areas import AREAS
from features.codes import MOST_SLOTS
from features.rewards import Reward
from features.warehouse.store import SQL


@dataclass(frozen=True)
class WindowSums:
    """Sums over the visitors of all whole windows of this many days.

    squares: rounds of a visitor in a window, squared. between: what a visitor's rewards differ from the
    log's rate times the visitor's rounds, squared.
    """

    days: int
    n_windows: int
    n_visitors: int
    n_rounds: int
    squares: int
    between: float


@dataclass(frozen=True)
class LoggedPropensities:
    """What weights 1 / (A p) say of uniformly shown items, A available ones of which each had propensity p.

    uniform_rate: their reward per round. effective_rounds: that it rests on (Kish). second_moment: mean of
    1 / (A p²), the E[w²] of a candidate that shows each available item equally often.
    """

    uniform_rate: float
    effective_rounds: float
    second_moment: float


@dataclass(frozen=True)
class LoggedTraffic:
    """A log in numbers.

    area: whose rounds they are; None for a log without any, whose unit is a visitor's day. rewards: rounds
    with a reward; where money is counted, with an order. n_available: items to choose from, and n_slots: of a
    surface, means over rounds; None where they aren't known.
    rounds_for_money: how many times the rounds of a lift of orders show the same relative lift of money; None
    where money is not counted or its mean is not above zero.
    """

    area: str | None
    first_day: date
    last_day: date
    n_rounds: int
    rewards: float
    has_users: bool
    n_available: float | None
    n_slots: float | None
    propensities: LoggedPropensities | None
    windows: tuple[WindowSums, ...]
    rounds_for_money: float | None = None

    @property
    def n_days(self) -> int:
        """Days from the first round to the last."""
        return (self.last_day - self.first_day).days + 1


def logged_traffic(connection: duckdb.DuckDBPyConnection, reward: Reward) -> LoggedTraffic | None:
    """Return the traffic of the first area with mature rounds, or else of days with an event or order.

    reward: of the night; of money, orders are counted. None where the log has neither. The connection is
    given a temporary view.
    """
    counted = "conversion" if reward.is_money else reward.name
    connection.execute(f"SET VARIABLE most_slots = {MOST_SLOTS}")
    for area in AREAS:
        if area.is_learned and counted in area.rewards and not reward.unknown_in(area.rewards):
            query = _query("area_rounds").replace("area_name", area.name)
            rounds = query.replace("reward_column", Reward.of(counted).in_sql(area.rewards))
            found = _traffic(connection, rounds, area.name)
            if found and reward.is_money:
                money = query.replace("reward_column", reward.in_sql(area.rewards))
                return replace(found, rounds_for_money=_rounds_for_money(connection, money, found))
            if found:
                return found
    return _traffic(connection, _query("visitor_days").replace("reward_name", counted), None)


def _rounds_for_money(
    connection: duckdb.DuckDBPyConnection, money: str, orders: LoggedTraffic
) -> float | None:
    """Return Var(money) / E[money]² over that of orders, (1 − p) / p: a lift needs rounds in proportion."""
    rate = orders.rewards / orders.n_rounds
    row = connection.execute(f"SELECT avg(reward), var_pop(reward) FROM ({money})").fetchone()
    if row is None or row[0] is None or row[0] <= 0 or not 0 < rate < 1:
        return None
    return float(row[1] / row[0] ** 2 * rate / (1 - rate))


def _traffic(connection: duckdb.DuckDBPyConnection, rounds: str, area: str | None) -> LoggedTraffic | None:
    connection.execute(f"CREATE OR REPLACE TEMPORARY VIEW planned_rounds AS {rounds}")
    [sums] = connection.sql(_query("round_sums")).pl().to_dicts()
    if not sums["n_rounds"]:
        return None
    windows = connection.sql(_query("window_sums")).pl().to_dicts()
    return LoggedTraffic(
        area=area,
        first_day=sums["first_day"],
        last_day=sums["last_day"],
        n_rounds=sums["n_rounds"],
        rewards=float(sums["rewards"]),
        has_users=sums["has_users"],
        n_available=sums["n_available"],
        n_slots=sums["n_slots"],
        propensities=_propensities(sums),
        windows=tuple(_window(row) for row in windows),
    )


def _propensities(sums: dict[str, Any]) -> LoggedPropensities | None:
    if not sums["n_propensities"]:
        return None
    return LoggedPropensities(
        uniform_rate=float(sums["weighted_rewards"] / sums["inverse"]),
        effective_rounds=float(sums["inverse"] ** 2 / sums["inverse_squares"]),
        second_moment=float(sums["second_moment"]),
    )


def _window(row: dict[str, Any]) -> WindowSums:
    counts = {name: int(row[name]) for name in ("days", "n_windows", "n_visitors", "n_rounds", "squares")}
    return WindowSums(**counts, between=float(row["between"]))


def _query(name: str) -> str:
    return (SQL / "queries" / f"{name}.sql").read_text()
