"""Numbers of a log and of the command line, put together."""

from dataclasses import replace

import pytest

from features.warehouse.traffic import LoggedPropensities, LoggedTraffic
from flows.commands.plan.known_numbers import GivenNumbers, KnownNumbers, known_numbers
from tests.flows.commands.plan.sample_plans import LOG, VISITS

BUYERS = replace(VISITS, rewards=4000.0)


def known(log: LoggedTraffic | None, **given: float) -> KnownNumbers:
    return known_numbers("shop", log, GivenNumbers(**given))


def codes(found: KnownNumbers) -> tuple[set[str], set[str]]:
    return {f.code for f in found.assumed}, {f.code for f in found.lacking}


def test_a_log_gives_every_number():
    found = known(LOG)

    assert found.traffic is not None
    assert (found.traffic.rate, found.traffic.rounds_per_day) == (0.1, 1000.0)
    assert (found.users_per_day, found.rounds_per_user) == (250.0, 4.0)
    assert (found.items, found.slots, found.n_days) == (12, 3, 4)
    assert (found.uniform_rate, found.second_moment) == (0.08, 40.0)
    assert found.traffic.growth.design_effect([1, 4]) == pytest.approx([1.3, 1.7])
    assert found.traffic.growth.correlation == pytest.approx(0.1)
    assert codes(found) == ({"shop_stays_the_same", "growth_goes_on"}, set())


def test_given_numbers_count_before_the_log():
    found = known(LOG, rate=0.2, users_per_day=500, rounds_per_user=8, items=20, slots=2)

    assert found.traffic is not None
    assert (found.traffic.rate, found.traffic.rounds_per_day) == (0.2, 4000.0)
    assert (found.items, found.slots) == (20, 2)
    # twice the rounds of a user, and so twice the pairs
    assert found.traffic.growth.design_effect([1, 4]) == pytest.approx([1.6, 2.4])
    assert found.traffic.growth.users(4) == pytest.approx(1000)
    assert found.uniform_rate is None, "it belongs to the log's own rate"


def test_a_correlation_replaces_the_measured_growth():
    found = known(LOG, correlation=0.5)

    assert found.traffic is not None
    assert found.traffic.growth.design_effect([1])[0] == pytest.approx(1 + 3 * 0.5)


def test_without_rounds_arms_are_planned_by_days_of_users():
    found = known(VISITS)

    assert found.traffic is not None and found.is_user_days
    assert (found.traffic.rate, found.traffic.rounds_per_day, found.items) == (0.1, 1000.0, None)
    assert codes(found) == (
        {"shop_stays_the_same", "growth_goes_on", "user_days_counted"},
        {"rounds_missing", "items_missing"},
    )


def test_rounds_of_a_user_make_a_rate_per_round_of_it():
    found = known(VISITS, rounds_per_user=5, items=10)

    assert found.traffic is not None and not found.is_user_days
    assert (found.traffic.rate, found.traffic.rounds_per_day, found.items) == (0.02, 5000.0, 10)
    assert found.traffic.growth.design_effect([4]) == pytest.approx([1.2])
    assert "one_reward_per_user_day" in codes(found)[0]


def test_buyers_alone_give_no_rate_until_the_users_are_known():
    assert codes(known(BUYERS))[1] >= {"rate_missing", "users_missing"}

    found = known(BUYERS, users_per_day=5000)
    assert found.traffic is not None
    assert found.traffic.rate == pytest.approx(4000 / (4 * 5000))
    assert codes(found)[0] >= {"users_always_new", "rounds_of_users_independent"}


def test_a_log_without_rewards_lacks_the_rate_alone():
    assert codes(known(replace(LOG, rewards=0.0)))[1] == {"rate_missing"}
    with_a_rate = known(replace(LOG, rewards=0.0), rate=0.01)
    assert with_a_rate.traffic is not None
    # Users who all have nothing can't be seen to differ.
    assert "rounds_of_users_independent" in codes(with_a_rate)[0]
    assert "rounds_of_users_independent" not in codes(known(LOG))[0]


def test_no_shop_and_all_numbers():
    found = known(None, rate=0.03, users_per_day=500, rounds_per_user=12, items=30)

    assert found.traffic is not None
    assert found.traffic.rounds_per_day == 6000
    assert codes(found) == (
        {"shop_stays_the_same", "users_always_new", "rounds_of_users_independent"},
        set(),
    )
    assert codes(known(None))[1] == {"rate_missing", "users_missing", "rounds_missing", "items_missing"}


def test_few_effective_rounds_say_nothing_of_uniform_items():
    unsure = replace(LOG, propensities=LoggedPropensities(0.08, 50.0, 40.0))

    assert known(unsure).uniform_rate is None


def test_a_log_without_users_is_named():
    assert "no_users_in_log" in codes(known(replace(LOG, has_users=False)))[0]
