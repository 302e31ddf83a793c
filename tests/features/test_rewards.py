"""Rewards as sums of results, in polars and in SQL."""

import duckdb
import polars as pl
import pytest

from features.areas import ADVERTISING, RECOMMENDATION
from features.rewards import Reward

ROUNDS = pl.DataFrame(
    {
        "is_clicked": [False, True, True],
        "is_converted": [False, False, True],
        "revenue_cents": [0, 0, 2999],
        "margin_cents": [0, 0, -101],
    }
)


@pytest.mark.parametrize(
    ("reward", "earned"),
    [
        (Reward.of("click"), [0.0, 1.0, 1.0]),
        (Reward.of("conversion"), [0.0, 0.0, 1.0]),
        (Reward.of("revenue"), [0.0, 0.0, 29.99]),
        (Reward.of("margin"), [0.0, 0.0, -1.01]),
        (
            Reward.of("weighted", {"click": 0.25, "conversion": 2.0, "margin": 0.5, "revenue": 0.0}),
            [0.0, 0.25, 1.745],
        ),
    ],
)
def test_a_round_earns_the_same_in_polars_and_in_sql(reward: Reward, earned: list[float]) -> None:
    columns = RECOMMENDATION.rewards
    in_sql = duckdb.from_arrow(ROUNDS.to_arrow()).project(reward.in_sql(columns)).fetchall()

    assert ROUNDS.select(reward.expression(columns)).to_series().to_list() == pytest.approx(earned)
    assert [row[0] for row in in_sql] == pytest.approx(earned)


def test_an_ad_has_no_margin_and_says_which_result_is_missing() -> None:
    weighted = Reward.of("weighted", {"click": 1.0, "margin": 1.0})

    assert weighted.unknown_in(ADVERTISING.rewards) == ("margin",)
    assert Reward.of("revenue").unknown_in(ADVERTISING.rewards) == ()
