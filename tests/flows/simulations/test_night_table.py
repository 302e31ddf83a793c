"""The table of nights, on outcomes made up so that the arithmetic can be checked by eye."""

from dataclasses import replace

from flows.simulations.night_table import night_table, nights_page
from flows.simulations.nights import NightOutcome


def night(world: str, seed: int, *, popularity: float, mixed: float, served: float) -> NightOutcome:
    """Logging earns 0 and the oracle 1, so that shares are values."""
    return NightOutcome(
        world=world,
        seed=seed,
        users=800,
        items=30,
        rounds=1000,
        logging=0.0,
        oracle=1.0,
        values={"pooled_reward_model": 0.5, "mixed_effects": mixed, "popularity": popularity},
        asks="mixed_effects",
        plain="pooled_reward_model",
        champion="mixed_effects",
        verdict="promote",
        served=served,
        learn_seconds=10.0,
        evaluate_seconds=5.0,
    )


NIGHTS = [
    night("strong", 0, popularity=0.3, mixed=0.6, served=0.6),
    night("strong", 1, popularity=0.5, mixed=0.8, served=0.4),
]


def test_a_row_has_means_and_standard_errors() -> None:
    lines = night_table(NIGHTS).splitlines()
    assert lines[0] == "| | strong | all worlds |"
    # 0.3 and 0.5: mean 0.4, standard error 0.1
    assert "| `popularity` | 0.400 (0.100) | 0.400 (0.100) |" in lines
    assert "| first contender | 0.700 (0.100) | 0.700 (0.100) |" in lines
    assert "| what serves | 0.500 (0.100) | 0.500 (0.100) |" in lines


def test_the_comparison_is_paired_by_shop() -> None:
    table = night_table(NIGHTS)
    # asks: 0.3 and 0.3 more; serves: 0.3 more and 0.1 less
    assert "| first contender | +0.300 (0.000) over `popularity`" in table
    assert "| what serves | +0.100 (0.200) over `popularity`" in table


def test_the_page_says_how_large_the_shops_are() -> None:
    large = replace(night("personal", 0, popularity=0.3, mixed=0.6, served=0.6), users=2000, items=300)
    page = nights_page([*NIGHTS, replace(NIGHTS[0], users=1100), large])
    assert "800 or 1,100 users and 30 items (`strong`); 2,000 users and 300 items (`personal`)" in page


def test_a_single_shop_has_no_standard_error() -> None:
    page = nights_page(NIGHTS[:1])
    assert "Seed 0; nothing was tuned on them." in page
    assert "| what serves | 0.600 | 0.600 |" in page
    assert "+0.300 over `popularity`" in page


def test_nulls_are_counted() -> None:
    assert "2 of 2 nights promoted a policy" in night_table(NIGHTS, NIGHTS)
    assert "Nulls" not in night_table(NIGHTS)
