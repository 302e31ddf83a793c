import numpy as np
import pytest

from features.simulator.assortment import draw_assortment
from features.simulator.newcomers import first_days
from features.simulator.settings import WorldSettings


def test_about_the_asked_share_is_out_of_stock() -> None:
    settings = WorldSettings(items=400, stock_out_share=0.1)
    assortment = draw_assortment(settings, np.zeros(400, dtype=np.int64))
    gone = np.mean([~assortment.available(day) for day in range(10, 60)])
    assert 0.085 < gone < 0.105


def test_stock_outs_last_for_days_and_end() -> None:
    assortment = draw_assortment(WorldSettings(items=400, stock_out_share=0.1), np.zeros(400, dtype=np.int64))
    out = np.array([~assortment.available(day) for day in range(60)])
    stays = (out[1:] & out[:-1]).sum() / out[:-1].sum()
    assert 0.55 < stays < 0.8  # a stock-out lasts three days in the mean: 2/3 of them go on
    assert not out.all(axis=0).any()


def test_a_day_does_not_depend_on_those_asked_for_before() -> None:
    assortment = draw_assortment(WorldSettings(), np.zeros(30, dtype=np.int64))
    forward = [assortment.available(day) for day in range(10)]
    backward = [assortment.available(day) for day in reversed(range(10))][::-1]
    np.testing.assert_array_equal(forward, backward)


def test_items_wait_for_their_launch() -> None:
    launch = first_days(30, 5)
    assortment = draw_assortment(WorldSettings(stock_out_share=0.0), launch)
    for day in range(40):
        np.testing.assert_array_equal(assortment.available(day), launch <= day)


@pytest.mark.parametrize("items", [4, 5])
def test_a_choice_is_always_left(items: int) -> None:
    settings = WorldSettings(items=items, stock_out_share=0.5)
    assortment = draw_assortment(settings, np.zeros(items, dtype=np.int64))
    assert min(int(assortment.available(day).sum()) for day in range(200)) == 4
