import polars as pl

from reports.summaries.budget import budget_cells, budget_sum, main_scenario, moved_cents, sums_by
from reports.summaries.night import night
from tests.reports.sample_nights import demo_night

SAMPLE = demo_night()
CELLS = budget_cells(night(SAMPLE.tables, SAMPLE.manifest).rows("out_budget_allocation"))


def test_channels_add_up_to_the_total() -> None:
    total = budget_sum("all", CELLS)
    channels = sums_by(CELLS, lambda cell: cell.channel)

    assert sum(channel.spend_recommended_cents for channel in channels) == total.spend_recommended_cents
    assert sum(channel.expected_revenue_cents for channel in channels) == total.expected_revenue_cents
    assert sum(channel.n_cells for channel in channels) == len(CELLS)


def test_what_cells_gain_less_what_they_give_up_is_the_change_of_the_total() -> None:
    given_up = sum(-cell.change_cents for cell in CELLS if cell.change_cents < 0)

    assert moved_cents(CELLS) - given_up == budget_sum("all", CELLS).change_cents


def test_the_biggest_move_comes_first() -> None:
    moves = [abs(cell.change_cents) for cell in CELLS]

    assert moves == sorted(moves, reverse=True)


def test_the_main_scenario_is_nearest_to_the_spend_of_today() -> None:
    rows = night(SAMPLE.tables, SAMPLE.manifest).rows("out_budget_allocation").to_dicts()
    richer = [
        row
        | {"scenario": "a_tenth_more", "spend_recommended_cents": int(1.1 * row["spend_recommended_cents"])}
        for row in rows
    ]
    schema = SAMPLE.tables["out_budget_allocation"].schema

    cells = budget_cells(pl.DataFrame(rows + richer, schema=schema))

    assert main_scenario(cells) == "same_total"
    assert main_scenario(()) is None
