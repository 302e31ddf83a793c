"""Does the budget keep its promise? Plans of simulated logs against the simulator's true curves.

`PYTHONPATH=. python tests/benchmarks/budget_study.py FIRST_SEED N_SEEDS` prints a table, one row per kind of
log, over that many seeds: how often the interval of next week's revenue at the plan held what that week then
earned, how far the promise was off in the middle, what the plan gained by truth and what it had promised, in
shares of today's revenue, and how often it was cautious.

The curves are the demo shop's (`features.simulator.spend_response`), 18 cells, 56 days; what differs is how
returns and spend move over time:

steady    nothing moves
demand    each day is good or bad in all cells at once, and spend follows it
walk      returns of all cells wander together, 3 % a day
falling   returns of all cells fall by 1 % a day while spend rises by 1 % a day
halved    returns and spend halve two weeks before the end
fatigue   each cell's return falls by itself, by up to 2 % a day
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.simulator.settings import WorldSettings
from features.simulator.spend_response import ORDER_VALUE_CENTS, SpendResponse, draw_spend_response
from offline_rl.decisions.budget.tables import BudgetSettings, budget_tables

DAYS, AHEAD = 56, 7
AS_OF = date(2026, 3, 1)

Array = NDArray[np.float64]
Random = np.random.Generator


@dataclass(frozen=True)
class Times:
    """What time does: factors on returns and on spend, [cells, DAYS + AHEAD] each."""

    returns: Array
    spend: Array


def steady(random: Random, cells: int) -> Times:
    return Times(np.ones((cells, DAYS + AHEAD)), np.ones((cells, DAYS + AHEAD)))


def demand(random: Random, cells: int) -> Times:
    shock = random.normal(0, 0.25, DAYS + AHEAD)
    return Times(np.tile(np.exp(shock), (cells, 1)), np.tile(np.exp(0.7 * shock), (cells, 1)))


def walk(random: Random, cells: int) -> Times:
    path = np.exp(random.normal(0, 0.03, DAYS + AHEAD).cumsum())
    return Times(np.tile(path, (cells, 1)), np.ones((cells, DAYS + AHEAD)))


def falling(random: Random, cells: int) -> Times:
    day = np.arange(DAYS + AHEAD)
    return Times(np.tile(0.99**day, (cells, 1)), np.tile(1.01**day, (cells, 1)))


def halved(random: Random, cells: int) -> Times:
    path = np.where(np.arange(DAYS + AHEAD) < DAYS - 14, 1.0, 0.5)
    return Times(np.tile(path, (cells, 1)), np.tile(path, (cells, 1)))


def fatigue(random: Random, cells: int) -> Times:
    rate = random.uniform(0, 0.02, cells)[:, None]
    return Times(np.exp(-rate * np.arange(DAYS + AHEAD)), np.ones((cells, DAYS + AHEAD)))


KINDS: dict[str, Callable[[Random, int], Times]] = {
    kind.__name__: kind for kind in (steady, demand, walk, falling, halved, fatigue)
}


def revenue_of(world: SpendResponse, spend: Array, returns: Array) -> Array:
    """Expected revenue of each cell and day, cents."""
    a, b = world.ceiling_cents[:, None], world.half_spend_cents[:, None]
    return returns * a * spend / (b + spend)


def earned(random: Random, mean: Array) -> Array:
    """Orders are Poisson and their values gamma, as in the simulator's feed."""
    orders = random.poisson(mean / ORDER_VALUE_CENTS)
    return np.rint(random.gamma(orders * 4.0, ORDER_VALUE_CENTS / 4.0))


def outcome(kind: str, seed: int, settings: BudgetSettings | None = None) -> dict[str, float]:
    """Plan on one log, then let the week pass by truth."""
    random = np.random.default_rng([seed, list(KINDS).index(kind)])
    world = draw_spend_response(WorldSettings(seed=seed, regions=2))
    cells = len(world.cells)
    times = KINDS[kind](random, cells)
    spend = np.rint(
        world.usual_spend_cents[:, None] * times.spend[:, :DAYS] * 2.0 ** random.uniform(-1, 1, (cells, DAYS))
    )
    revenue = earned(random, revenue_of(world, spend, times.returns[:, :DAYS]))
    tables = budget_tables(
        _log(spend, revenue), run_id="study", as_of=AS_OF, settings=settings or BudgetSettings(), seed=seed
    )
    rows = tables.allocation.sort("campaign_id")
    now, plan = (
        rows[name].to_numpy()[:, None] for name in ("spend_current_cents", "spend_recommended_cents")
    )
    total = tables.totals.row(by_predicate=pl.col("scope") == "shop", named=True)
    after = times.returns[:, DAYS:]
    truth_now = revenue_of(world, now, after).sum(0).mean()
    truth_plan = revenue_of(world, plan, after)
    week = earned(random, truth_plan).sum(0).mean()
    gain = truth_plan.sum(0).mean() - truth_now
    held_out = tables.backtest.group_by("method").agg(pl.mean("cell_miss_share"))
    return {
        "covered": total["daily_revenue_lower_cents"] <= week <= total["daily_revenue_upper_cents"],
        "width": (total["daily_revenue_upper_cents"] - total["daily_revenue_lower_cents"]) / week,
        "off": total["daily_revenue_expected_cents"] / week - 1.0,
        "gain": gain / truth_now,
        "promised": total["gain_cents"] / truth_now,
        "gain_covered": total["gain_lower_cents"] <= gain <= total["gain_upper_cents"],
        "cautious": total["is_cautious"],
        **{f"miss_{method}": miss for method, miss in held_out.iter_rows()},
    }


def _log(spend: Array, revenue: Array) -> pl.DataFrame:
    cells, days = spend.shape
    return pl.DataFrame(
        {
            "date": [AS_OF - timedelta(days=DAYS - 1 - day) for day in range(days)] * cells,
            "campaign_id": np.repeat([f"c{cell:02d}" for cell in range(cells)], days),
            "channel": np.repeat([f"h{cell // 2 % 3}" for cell in range(cells)], days),
            "segment_id": ["all"] * (cells * days),
            "spend_cents": spend.ravel().astype(np.int64),
            "conversions": (revenue.ravel() // ORDER_VALUE_CENTS).astype(np.int64),
            "revenue_cents": revenue.ravel().astype(np.int64),
        }
    )


def study(seeds: range) -> pl.DataFrame:
    """Return the means over seeds, one row per kind of log."""
    outcomes = [{"kind": kind} | outcome(kind, seed) for kind in KINDS for seed in seeds]
    frame = pl.DataFrame(outcomes).with_columns(pl.selectors.boolean().cast(pl.Float64))
    means = frame.group_by("kind", maintain_order=True).agg(
        pl.exclude("off").mean(), pl.col("off").median(), pl.col("gain").min().alias("worst_gain")
    )
    return means.with_columns(pl.selectors.float().round(3))


if __name__ == "__main__":
    first, n_seeds = (int(argument) for argument in sys.argv[1:])
    with pl.Config(tbl_cols=-1, tbl_rows=-1, tbl_width_chars=200, tbl_hide_dataframe_shape=True):
        sys.stdout.write(f"{study(range(first, first + n_seeds))}\n")
