"""The allocator against paper, brute force and scipy, and the laws every plan obeys."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from features.errors import UsageError
from offline_rl.decisions.budget.response_curves import ResponseCurves
from offline_rl.decisions.budget.water_filling import Cells, allocate


def cells(a: list[float], b: list[float], least: list[int], most: list[int]) -> Cells:
    return Cells(ResponseCurves(np.array(a), np.array(b)), np.array(least), np.array(most))


@st.composite
def problems(draw: st.DrawFn, *, smallest: int = 1_000, largest: int = 1_000_000) -> tuple[Cells, int]:
    n = draw(st.integers(1, 12))
    most = draw(st.lists(st.integers(smallest, largest), min_size=n, max_size=n))
    least = [int(m * draw(st.floats(0, 1))) for m in most]
    # Ceilings of 0 and curves from nearly flat to nearly straight within the limits.
    a = draw(st.lists(st.one_of(st.just(0.0), st.floats(1.0, 1e8)), min_size=n, max_size=n))
    b = [m * draw(st.floats(0.01, 100)) for m in most]
    return cells(a, b, least, most), draw(st.integers(sum(least), sum(most)))


@settings(max_examples=200, deadline=None)
@given(problems())
def test_laws_of_a_plan(problem: tuple[Cells, int]) -> None:
    world, budget = problem
    plan = allocate(world, budget)
    assert plan.spend_cents.sum() == budget
    assert (world.spend_min_cents <= plan.spend_cents).all()
    assert (plan.spend_cents <= world.spend_max_cents).all()
    assert 0 <= plan.certified_gap < 1e-4
    assert plan.revenue_cents <= plan.revenue_bound_cents
    assert plan.shadow_price >= 0


@settings(max_examples=100, deadline=None)
@given(problems(), st.floats(0, 1))
def test_more_budget_never_lowers_value(problem: tuple[Cells, int], share: float) -> None:
    world, budget = problem
    more = budget + int(share * (world.spend_max_cents.sum() - budget))
    before, after = allocate(world, budget), allocate(world, more)
    # Whole cents may cost what the gap admits, no more.
    assert after.revenue_bound_cents >= before.revenue_cents * (1 - 1e-12)
    assert after.revenue_cents >= before.revenue_cents * (1 - after.certified_gap - 1e-12)
    assert after.shadow_price <= before.shadow_price * (1 + 1e-9)


@settings(max_examples=100, deadline=None)
@given(problems(smallest=1, largest=9))
def test_no_plan_in_whole_cents_beats_the_bound(problem: tuple[Cells, int]) -> None:
    world, budget = problem
    few = slice(0, 4)
    world = Cells(
        ResponseCurves(world.curves.ceiling[few], world.curves.half_saturation[few]),
        world.spend_min_cents[few],
        world.spend_max_cents[few],
    )
    budget = int(np.clip(budget, world.spend_min_cents.sum(), world.spend_max_cents.sum()))
    ranges = [
        range(least, most + 1)
        for least, most in zip(world.spend_min_cents, world.spend_max_cents, strict=True)
    ]
    best = max(
        world.curves.revenue(np.array(spend)).sum()
        for spend in itertools.product(*ranges)
        if sum(spend) == budget
    )
    plan = allocate(world, budget)
    assert best <= plan.revenue_bound_cents * (1 + 1e-12)
    assert plan.revenue_cents >= best * (1 - plan.certified_gap) - 1e-9


@settings(max_examples=50, deadline=None)
@given(problems())
def test_money_in_millionths_gives_the_same_plan(problem: tuple[Cells, int]) -> None:
    world, budget = problem
    scale = 1_000_000
    larger = Cells(
        ResponseCurves(world.curves.ceiling * scale, world.curves.half_saturation * scale),
        world.spend_min_cents * scale,
        world.spend_max_cents * scale,
    )
    plan, scaled = allocate(world, budget), allocate(larger, budget * scale)
    assert np.abs(scaled.spend_cents / scale - plan.spend_cents).max() <= 1
    assert scaled.shadow_price == pytest.approx(plan.shadow_price, rel=1e-6)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_it_moves_where_slsqp_stays_at_its_start(unit: float) -> None:
    """Revenue in another unit must not change the plan; SLSQP's absolute tolerance makes it stop at once."""
    rng = np.random.default_rng(0)
    a, b = rng.lognormal(9, 1, 7) * unit, rng.lognormal(8, 0.5, 7)
    world = Cells(ResponseCurves(a, b), np.zeros(7, np.int64), np.full(7, 20_000))
    plan = allocate(world, 21_000)
    start = np.full(7, 3_000.0)
    assert plan.revenue_cents > 1.05 * world.curves.revenue(start).sum()
    solved = optimize.minimize(
        lambda x: -(a / unit * x / (b + x)).sum() / 1e3,
        start,
        jac=lambda x: -(a / unit * b / (b + x) ** 2) / 1e3,
        bounds=[(0, 20_000)] * 7,
        constraints={"type": "eq", "fun": lambda x: x.sum() - 21_000, "jac": np.ones_like},
        options={"ftol": 1e-15, "maxiter": 1000},
    )
    assert plan.revenue_cents / unit >= -solved.fun * 1e3 * (1 - 1e-6)
    assert np.abs(plan.spend_cents - solved.x).max() < 20


def test_cells_that_earn_nothing_get_only_what_is_left() -> None:
    plan = allocate(cells([0.0, 100.0], [10.0, 10.0], [0, 0], [50, 20]), 30)
    assert plan.spend_cents.tolist() == [10, 20]
    assert plan.shadow_price == 0


def test_nothing_to_earn_still_spends_the_budget() -> None:
    plan = allocate(cells([0.0, 0.0], [10.0, 10.0], [0, 0], [50, 50]), 30)
    assert plan.spend_cents.sum() == 30
    assert plan.certified_gap == 0


def test_a_plan_without_a_choice_and_without_revenue_has_no_gap() -> None:
    plan = allocate(cells([1.0, 0.0], [250.0, 1000.0], [0, 1000], [1000, 1000]), 1000)
    assert plan.revenue_cents == 0
    assert plan.certified_gap == 0


def test_price_is_what_one_more_cent_brings() -> None:
    world = cells([1e6, 3e6, 2e6], [1e4, 5e4, 1e5], [0, 0, 0], [100_000, 100_000, 1_000])
    plan, more = allocate(world, 60_000), allocate(world, 60_100)
    assert (more.revenue_cents - plan.revenue_cents) / 100 == pytest.approx(plan.shadow_price, rel=1e-2)
    full = allocate(world, 201_000)
    assert full.shadow_price == 0


def test_all_cells_fixed() -> None:
    plan = allocate(cells([10.0], [10.0], [7], [7]), 7)
    assert plan.spend_cents.tolist() == [7]
    assert plan.certified_gap == 0


@pytest.mark.parametrize(
    ("budget", "sentence"), [(9, "below the least .* 10 cents"), (41, "above the most .* 40 cents")]
)
def test_infeasible_budgets_are_refused_with_the_limits(budget: int, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as refusal:
        allocate(cells([1.0, 1.0], [1.0, 1.0], [5, 5], [20, 20]), budget)
    assert "choose a budget from 10 to 40 cents" in str(refusal.value)


def test_what_is_no_cell_is_refused_by_its_place() -> None:
    world = cells([1.0, 1.0], [1.0, 0.0], [0, 0], [9, 9])
    with pytest.raises(ValueError, match="Cell 1 is none"):
        allocate(world, 5)
    with pytest.raises(ValueError, match="Cell 0 is none"):
        allocate(replace(world, spend_min_cents=np.array([10, 0])), 12)
