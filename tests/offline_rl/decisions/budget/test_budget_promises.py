"""Plans of simulated logs against the week that then passed, by truth: minutes, so marked slow."""

import pytest

from tests.benchmarks.budget_study import KINDS, outcome

SEEDS = range(300, 316)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_next_week_is_held_and_the_gain_is_real(kind: str) -> None:
    """Nominal 95 %: 13 of 16 or more, which fails by chance once in 140 (binomial)."""
    outcomes = [outcome(kind, seed) for seed in SEEDS]
    assert sum(found["covered"] for found in outcomes) >= 13
    assert sum(found["gain_covered"] for found in outcomes) >= 13
    gained = sum(found["gain"] for found in outcomes)
    assert gained > 0
    assert 0.75 * gained < sum(found["promised"] for found in outcomes) < 1.25 * gained
