"""Rounds, users and rewards of a shop's log, for a plan of what it could show."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from features.areas import AREAS
from features.codes import MOST_SLOTS
from features.contracts.sql_text import identifier
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
    with a reward. n_available: items to choose from, and n_slots: of a surface, means over rounds; None
    where they aren't known.
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

    @property
    def n_days(self) -> int:
        """Days from the first round to the last."""
        return (self.last_day - self.first_day).days + 1


def logged_traffic(connection: duckdb.DuckDBPyConnection, reward: str) -> LoggedTraffic | None:
    """Return the traffic of the first area with mature rounds, or else of days with an event or order.

    reward: `night.reward`. None where the log has neither. The connection is given a temporary view.
    """
    connection.execute(f"SET VARIABLE most_slots = {MOST_SLOTS}")
    for area in AREAS:
        if area.is_learned and reward in area.rewards:
            rounds = _query("area_rounds").replace("area_name", area.name)
            found = _traffic(
                connection, rounds.replace("reward_column", identifier(area.rewards[reward])), area.name
            )
            if found:
                return found
    return _traffic(connection, _query("visitor_days").replace("reward_name", reward), None)


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
