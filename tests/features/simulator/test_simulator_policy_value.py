from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from features.errors import InputDataError, UsageError
from features.simulator.plackett_luce import draw_slates
from features.simulator.policy_value import TrueValue, Visits
from features.simulator.preferences import TablePreferences
from features.simulator.reference_policies import BestSlates, LoggedSlates
from features.simulator.settings import WorldSettings
from features.simulator.world import World


@dataclass(frozen=True)
class Table:
    """The same probabilities, [L, A], for everybody."""

    probabilities: NDArray[np.float64]

    def slot_probabilities(self, visits: Visits) -> NDArray[np.float64]:
        return np.broadcast_to(self.probabilities, (len(visits.user_ids), *self.probabilities.shape))


@dataclass(frozen=True)
class Watched:
    """The logging policies, which this time don't tell their probabilities."""

    world: World

    def draw_slates(self, visits: Visits, random: np.random.Generator) -> NDArray[np.int64]:
        opened = self.world.open(visits.day)
        served_by = self.world.logging.policy_of_user[self.world.people.ids.positions(visits.user_ids)]
        slates = np.empty((len(served_by), self.world.settings.slots), dtype=np.int64)
        for policy, weights in enumerate(opened.weights):
            rows = np.flatnonzero(served_by == policy)
            slates[rows] = draw_slates(weights, len(rows), slates.shape[1], random)
        return slates


@dataclass(frozen=True)
class Fixed:
    slate: list[int]

    def draw_slates(self, visits: Visits, random: np.random.Generator) -> NDArray[np.int64]:
        return np.tile(self.slate, (len(visits.user_ids), 1))


@pytest.fixture(scope="module")
def paper() -> World:
    """Two users who visit 1 and 3 times a day, three items that nobody prefers for a reason of segment."""
    world = World.create(
        WorldSettings(
            users=2, items=3, slots=2, days=2, seasonality=0.0, new_user_share=0.0, stock_out_share=0.0
        )
    )
    people = replace(world.people, visit_rate=np.array([1.0, 3.0]))
    log_odds = np.log([[0.2 / 0.8, 0.4 / 0.6, 0.6 / 0.4], [0.1 / 0.9, 0.1 / 0.9, 0.8 / 0.2]]) + 2.45
    click_model = replace(
        world.click_model,
        examination=np.array([1.0, 0.5]),
        quality=np.zeros(3),
        taste=np.zeros_like(world.click_model.taste),
        preferences=TablePreferences(np.array([0, 1]), log_odds),
        order_given_click=np.full_like(world.click_model.order_given_click, 0.5),
    )
    return replace(world, people=people, click_model=click_model)


def test_true_value_of_a_world_solved_on_paper(paper: World) -> None:
    # item 2 then item 0 or 1: user 1 gets 0.6 + 0.5 * 0.3, user 2 gets 0.8 + 0.5 * 0.1, three times as often
    policy = Table(np.array([[0.0, 0.0, 1.0], [0.5, 0.5, 0.0]]))
    value = (0.75 + 3 * 0.85) / 4 / 2
    assert paper.true_value(policy).value == pytest.approx(value)
    assert paper.true_value(policy).standard_error == 0
    assert paper.true_value(policy, "purchase").value == pytest.approx(value * 0.5 * 0.95)
    assert paper.true_value(Fixed([2, 0]), days=[1]).value == pytest.approx((0.7 + 3 * 0.85) / 8, abs=0.002)


def test_a_policy_that_is_only_watched_has_the_same_value_within_its_error() -> None:
    world = World.create(WorldSettings(users=300, days=8))
    exact = world.true_value(LoggedSlates(world))
    z = []
    for seed in range(30):
        sampled = world.true_value(Watched(world), n_visits=2000, seed=seed)
        assert sampled.standard_error < 0.02 * sampled.value
        z.append((sampled.value - exact.value) / sampled.standard_error)
    assert np.abs(z).max() < 4
    assert 0.7 < np.std(z) < 1.4


def test_four_times_the_visits_halve_the_error() -> None:
    world = World.create(WorldSettings(users=300, days=8))
    few, many = (world.true_value(Watched(world), n_visits=n).standard_error for n in (5_000, 20_000))
    assert few / many == pytest.approx(2, rel=0.1)


def test_no_other_slate_of_a_segment_beats_the_best() -> None:
    world = World.create(WorldSettings(users=600, items=5, slots=2, days=1, new_item_share=0.0))
    best = world.true_value(BestSlates(world)).value
    tables = []
    for first in range(5):
        for second in set(range(5)) - {first}:
            if world.open(0).available[[first, second]].all():
                table = np.zeros((2, 5))
                table[[0, 1], [first, second]] = 1.0
                tables.append(world.true_value(Table(table)).value)
    assert len(tables) >= 12
    assert max(tables) <= best + 1e-12
    assert max(tables) == pytest.approx(world.true_value(BestSlates(world, "nothing")).value)


@pytest.mark.parametrize(
    ("probabilities", "said"),
    [
        (np.full((1, 3), 1 / 3), "shape"),
        (np.full((2, 3), 0.1), "sum to 1"),
        (np.array([[1.5, -0.5, 0.0], [0.0, 0.0, 1.0]]), "sum to 1"),
    ],
)
def test_probabilities_that_are_none_are_refused(
    paper: World, probabilities: NDArray[np.float64], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        paper.true_value(Table(probabilities))


def test_what_is_not_there_cannot_be_shown() -> None:
    world = World.create(WorldSettings(users=5, items=8, slots=1, new_item_share=0.5, stock_out_share=0.0))
    last = np.eye(8)[[7]]
    with pytest.raises(UsageError, match="an item that is not available on day 0"):
        world.true_value(Table(last), days=[0])
    assert world.true_value(Table(last), days=[40]).value > 0
    with pytest.raises(UsageError, match="isn't available"):
        world.true_value(Fixed([7]), days=[0])


@pytest.mark.parametrize(("slate", "said"), [([0, 0], "repeats"), ([0, 1, 2], "shape")])
def test_slates_that_are_none_are_refused(paper: World, slate: list[int], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        paper.true_value(Fixed(slate))


def test_one_visit_is_not_a_sample(paper: World) -> None:
    with pytest.raises(UsageError, match="standard error"):
        paper.true_value(Fixed([0, 1]), n_visits=1)


def test_the_logs_targeting_is_worth_its_propensities() -> None:
    world = World.create(WorldSettings(users=50))
    ads, users = world.advertising, world.user_ids
    logged = np.broadcast_to(ads.propensity, (50, len(ads.ids)))
    value = world.true_targeting_value(logged, users, world.creative_ids)
    shown = ads.propensity * ads.cell_share[ads.cell]
    expected = (shown * world.expected_ad_reward(users, world.creative_ids)).sum(axis=1).mean()
    assert value == TrueValue(pytest.approx(expected), 0.0)
    turned = world.true_targeting_value(logged[:, ::-1], users, world.creative_ids[::-1])
    assert turned.value == pytest.approx(expected)


def test_better_targeting_is_worth_more() -> None:
    world = World.create(WorldSettings(users=200))
    reward = world.expected_ad_reward(world.user_ids, world.creative_ids, "conversion")
    cell = world.advertising.cell
    best = np.zeros_like(reward)
    for one in np.unique(cell):
        members = np.flatnonzero(cell == one)
        best[np.arange(200), members[reward[:, members].argmax(axis=1)]] = 1.0
    logged = np.broadcast_to(world.advertising.propensity, reward.shape)
    values = [
        world.true_targeting_value(chances, world.user_ids, world.creative_ids, "conversion").value
        for chances in (logged, best)
    ]
    assert values[1] > 1.15 * values[0]


def test_targeting_that_is_none_is_refused() -> None:
    world = World.create(WorldSettings(users=1))
    with pytest.raises(UsageError, match="shape"):
        world.true_targeting_value(np.ones((1, 2)), world.user_ids, world.creative_ids)
    with pytest.raises(UsageError, match="sum to 1"):
        world.true_targeting_value(np.ones((1, 22)), world.user_ids, world.creative_ids)


def test_a_budget_brings_the_sum_of_its_curves() -> None:
    world = World.create(WorldSettings(users=1))
    cells = [("always-on", "search", "north"), ("spring-sale", "social", "west")]
    plan = {cells[0]: 10_000, cells[1]: 2_000}
    parts = [float(world.expected_revenue_cents(*cell, spend)) for cell, spend in plan.items()]
    assert world.true_budget_value(plan) == TrueValue(pytest.approx(sum(parts)))
    assert world.true_budget_value({cells[0]: 12_000, cells[1]: 0}).value < 1.2 * parts[0]
    with pytest.raises(InputDataError, match="always-on/radio/north"):
        world.true_budget_value({("always-on", "radio", "north"): 1.0})
