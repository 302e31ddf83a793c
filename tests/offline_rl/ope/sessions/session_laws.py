"""What every estimator over sessions obeys, whatever its mathematics.

A law takes a maker of the estimator, so that it may ask for another horizon, number of states or discount.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np

from offline_rl.ope.records import Floats
from offline_rl.ope.sessions.estimator import SessionEstimator
from offline_rl.ope.sessions.evaluation import evaluate_sessions
from offline_rl.ope.sessions.records import Sessions
from tests.offline_rl.ope.sessions.session_worlds import HORIZON, Visits


class Maker(Protocol):
    """Makes an estimator of a policy [S, A]."""

    def __call__(self, policy: Floats, horizon: int = HORIZON, gamma: float = 0.9) -> SessionEstimator: ...


def value(estimator: SessionEstimator, sessions: Sessions) -> float:
    return float(estimator.value(estimator.terms(sessions).sum(axis=0)))


def scaled_rewards_scale_the_value(make: Maker) -> None:
    world = Visits()
    sessions = world.log(200, seed=3)
    in_cents = replace(
        sessions, reward=100 * sessions.reward, q_logged=100 * sessions.q_logged, v=100 * sessions.v
    )
    estimator = make(world.evaluated)
    assert np.isclose(value(estimator, in_cents), 100 * value(estimator, sessions), rtol=1e-12)


def order_of_sessions_is_irrelevant(make: Maker) -> None:
    world = Visits()
    sessions = world.log(200, seed=4)
    shuffled = sessions.select(np.random.default_rng(0).permutation(sessions.n_sessions))
    estimator = make(world.evaluated)
    assert np.isclose(value(estimator, shuffled), value(estimator, sessions), rtol=1e-12)


def shards_add_to_the_whole(make: Maker) -> None:
    world = Visits()
    sessions = world.log(200, seed=5)
    # The early shard has no session of full length: terms must not depend on the lengths that occur.
    early = sessions.length < HORIZON
    estimator = make(world.evaluated)
    sums = sum(estimator.terms(sessions.select(shard)).sum(axis=0) for shard in (early, ~early))
    assert np.isclose(estimator.value(sums), value(estimator, sessions), rtol=1e-12)


def twice_the_sums_say_the_same(make: Maker) -> None:
    world = Visits()
    estimator = make(world.evaluated)
    sums = estimator.terms(world.log(200, seed=6)).sum(axis=0)
    assert np.isclose(estimator.value(2 * sums), estimator.value(sums), rtol=1e-12)


def leading_dimensions_of_sums_are_kept(make: Maker) -> None:
    world = Visits()
    estimator = make(world.evaluated)
    terms = estimator.terms(world.log(60, seed=7))
    stacked = terms.reshape(3, 4, 5, -1).sum(axis=2)
    values = estimator.value(stacked)
    assert values.shape == (3, 4)
    assert np.isclose(values[1, 2], estimator.value(stacked[1, 2]), rtol=1e-14)


def steps_that_nobody_takes_change_nothing(make: Maker) -> None:
    world = Visits()
    sessions = world.log(200, seed=8)
    longer = replace(sessions, horizon=HORIZON + 3)
    assert np.isclose(
        value(make(world.evaluated, horizon=HORIZON + 3), longer),
        value(make(world.evaluated), sessions),
        rtol=1e-12,
    )


def a_session_that_ended_is_one_that_idles(make: Maker) -> None:
    world = Visits()
    sessions = world.log(200, seed=9)
    idling, policy = idle_until_the_horizon(sessions, world.evaluated)
    assert idling.length.tolist() == [HORIZON] * sessions.n_sessions
    assert np.isclose(value(make(policy), idling), value(make(world.evaluated), sessions), rtol=1e-12)


def more_sessions_narrow_the_interval(make: Maker) -> None:
    world = Visits()
    widths = []
    for n in (400, 6400):
        evaluation = evaluate_sessions(
            {"new": world.log(n, seed=8)}, [make(world.evaluated)], n_resamples=200
        )
        (row,) = evaluation.policy_values()
        assert row.lower <= row.value <= row.upper
        widths.append(row.upper - row.lower)
    # Sixteen times the sessions quarter the width, give or take the resampling noise of both ends.
    assert 0.15 < widths[1] / widths[0] < 0.4


def no_session_identifies_nothing(make: Maker) -> None:
    world = Visits()
    empty = world.log(10, seed=0).select(np.zeros(10, dtype=bool))
    assert np.isnan(value(make(world.evaluated), empty))


def idle_until_the_horizon(sessions: Sessions, policy: Floats) -> tuple[Sessions, Floats]:
    """Every session drawn out to full length by steps without choice or reward, in a state of their own."""
    m, horizon, n_states = sessions.n_sessions, sessions.horizon, len(policy)
    fills = {
        "action": 0,
        "reward": 0.0,
        "propensity": 1.0,
        "evaluation_prob": 1.0,
        "state": n_states,
        "q_logged": 0.0,
        "v": 0.0,
    }
    columns = {}
    for name, fill in fills.items():
        column = getattr(sessions, name)
        columns[name] = sessions.grid(column, fill).ravel().astype(column.dtype)
    session = np.repeat(np.arange(m), horizon)
    idling = Sessions(
        horizon=horizon, session=session, step=np.tile(np.arange(horizon), m), cluster=session, **columns
    )
    return idling, np.vstack([policy, np.eye(policy.shape[1])[0]])


LAWS: list[Callable[[Maker], None]] = [
    scaled_rewards_scale_the_value,
    order_of_sessions_is_irrelevant,
    shards_add_to_the_whole,
    twice_the_sums_say_the_same,
    leading_dimensions_of_sums_are_kept,
    steps_that_nobody_takes_change_nothing,
    a_session_that_ended_is_one_that_idles,
    more_sessions_narrow_the_interval,
    no_session_identifies_nothing,
]
