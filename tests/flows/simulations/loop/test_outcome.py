"""The record of a page, made from days by hand."""

from dataclasses import replace

import pytest

from flows.simulations.loop.loop_day import LoopDay
from flows.simulations.loop.outcome import loop_outcome
from flows.simulations.loop.table import loop_table


def day(way: str, seed: int, night: int, served: float, world: str = "mild", **said) -> LoopDay:
    return LoopDay(world, seed, way, night, "2026-01-18", served, 0.05, 0.049, 0.09, **said)


METACART = [
    day("metacart", seed, night, 0.06 + 0.01 * seed, verdict="hold") for seed in (0, 1) for night in (1, 2)
]


def test_lines_are_of_the_shops_that_all_ways_have():
    rivals = [day("pooled", 1, night, 0.055) for night in (1, 2)]
    [world] = loop_outcome(METACART + rivals, users=150).worlds
    assert world.n_common == 1
    lines = {line.name: line.values for line in world.lines}
    assert list(lines) == ["metacart", "pooled", "first", "oracle"]
    assert lines["metacart"] == pytest.approx((0.07, 0.07))
    assert lines["first"] == pytest.approx((0.05, 0.05))
    # The table is of all shops of each way.
    assert [(row.way, row.shops) for row in world.rows] == [("metacart", 2), ("pooled", 1)]
    assert world.rows[0].served == pytest.approx(0.065)


def test_ways_without_a_shop_in_common_have_no_lines():
    [world] = loop_outcome([*METACART, day("pooled", 7, 1, 0.055)], users=150).worlds
    assert (world.n_common, world.lines) == (0, ())


def test_reasons_are_those_of_nights_that_promoted_nothing():
    days = [
        day("metacart", 0, 1, 0.06, verdict="hold", reason_codes="no_gain_shown later_look"),
        day("metacart", 0, 2, 0.06, verdict="reject", reason_codes="no_gain_shown"),
        day("metacart", 0, 3, 0.06, verdict="promote", reason_codes="gain_shown"),
        *(
            day("no_exploration", 0, night, 0.06, verdict="hold", reason_codes="harm_shown")
            for night in (1, 2, 3)
        ),
    ]
    [world] = loop_outcome(days, users=150).worlds
    assert world.n_closed == 2
    assert [(gate.code, gate.n_nights) for gate in world.closed] == [("no_gain_shown", 2), ("later_look", 1)]


def test_the_jump_is_on_the_page_of_its_world_alone():
    long = [
        day("metacart", 0, night, 0.06, world=world) for world in ("mild", "shift") for night in range(1, 9)
    ]
    mild, shift = loop_outcome(long, users=150).worlds
    assert (mild.jump, shift.jump) == (None, 8)
    assert loop_outcome([one for one in long if one.night < 8], users=150).worlds[1].jump is None


def test_where_nothing_can_be_gained_no_share_of_it_is_closed():
    flat = [LoopDay("null", 0, "metacart", 1, "2026-01-18", 0.06, 0.06, 0.06, 0.06)]
    flat[0] = replace(flat[0], served=0.06 * (1 - 1e-15))
    [row] = loop_table(flat).rows(named=True)
    assert (row["gap_closed"], row["covered"]) == (None, None)
    assert str(row["mean_shop"]) == "0.0"
