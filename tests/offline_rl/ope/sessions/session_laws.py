"""What every estimator over sessions obeys, whatever its mathematics, at a discount of 0.9."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from offline_rl.ope.sessions.estimator import SessionEstimator
from offline_rl.ope.sessions.evaluation import evaluate_sessions
from offline_rl.ope.sessions.records import Sessions
from tests.offline_rl.ope.sessions.session_worlds import HORIZON, Visits


def value(estimator: SessionEstimator, sessions: Sessions) -> float:
    return float(estimator.value(estimator.terms(sessions).sum(axis=0)))


def scaled_rewards_scale_the_value(estimator: SessionEstimator) -> None:
    world = Visits()
    sessions = world.log(200, seed=3)
    in_cents = replace(
        sessions, reward=100 * sessions.reward, q_logged=100 * sessions.q_logged, v=100 * sessions.v
    )
    assert np.isclose(value(estimator, in_cents), 100 * value(estimator, sessions), rtol=1e-12)


def order_of_sessions_is_irrelevant(estimator: SessionEstimator) -> None:
    world = Visits()
    sessions = world.log(200, seed=4)
    shuffled = sessions.select(np.random.default_rng(0).permutation(sessions.n_sessions))
    assert np.isclose(value(estimator, shuffled), value(estimator, sessions), rtol=1e-12)


def shards_add_to_the_whole(estimator: SessionEstimator) -> None:
    world = Visits()
    sessions = world.log(200, seed=5)
    # The early shard has no session of full length: terms must not depend on the lengths that occur.
    early = sessions.length < HORIZON
    sums = sum(estimator.terms(sessions.select(shard)).sum(axis=0) for shard in (early, ~early))
    assert np.isclose(estimator.value(sums), value(estimator, sessions), rtol=1e-12)


def twice_the_sums_say_the_same(estimator: SessionEstimator) -> None:
    world = Visits()
    sums = estimator.terms(world.log(200, seed=6)).sum(axis=0)
    assert np.isclose(estimator.value(2 * sums), estimator.value(sums), rtol=1e-12)


def leading_dimensions_of_sums_are_kept(estimator: SessionEstimator) -> None:
    world = Visits()
    terms = estimator.terms(world.log(60, seed=7))
    stacked = terms.reshape(3, 4, 5, -1).sum(axis=2)
    values = estimator.value(stacked)
    assert values.shape == (3, 4)
    assert np.isclose(values[1, 2], estimator.value(stacked[1, 2]), rtol=1e-14)


def steps_that_nobody_takes_change_nothing(estimator: SessionEstimator) -> None:
    world = Visits()
    sessions = world.log(200, seed=8)
    longer = replace(sessions, horizon=HORIZON + 3)
    assert np.isclose(
        value(estimator, longer),
        value(estimator, sessions),
        rtol=1e-12,
    )


def a_session_that_ended_is_one_that_idles(estimator: SessionEstimator) -> None:
    world = Visits()
    sessions = world.log(200, seed=9)
    idling = idle_until_the_horizon(sessions)
    assert idling.length.tolist() == [HORIZON] * sessions.n_sessions
    assert np.isclose(value(estimator, idling), value(estimator, sessions), rtol=1e-12)


def more_sessions_narrow_the_interval(estimator: SessionEstimator) -> None:
    world = Visits()
    widths = []
    for n in (400, 6400):
        evaluation = evaluate_sessions({"new": world.log(n, seed=8)}, [estimator], n_resamples=200)
        row, _ = evaluation.policy_values()
        assert row.lower <= row.value <= row.upper
        widths.append(row.upper - row.lower)
    # Sixteen times the sessions quarter the width, give or take the resampling noise of both ends.
    assert 0.15 < widths[1] / widths[0] < 0.4


def no_session_identifies_nothing(estimator: SessionEstimator) -> None:
    world = Visits()
    empty = world.log(10, seed=0).select(np.zeros(10, dtype=bool))
    assert np.isnan(value(estimator, empty))


def idle_until_the_horizon(sessions: Sessions) -> Sessions:
    """Every session drawn out to full length by steps without choice or reward."""
    m, horizon = sessions.n_sessions, sessions.horizon
    fills = {
        "action": 0,
        "reward": 0.0,
        "propensity": 1.0,
        "evaluation_prob": 1.0,
        "q_logged": 0.0,
        "v": 0.0,
    }
    columns = {}
    for name, fill in fills.items():
        column = getattr(sessions, name)
        columns[name] = sessions.grid(column, fill).ravel().astype(column.dtype)
    session = np.repeat(np.arange(m), horizon)
    return Sessions(
        horizon=horizon, session=session, step=np.tile(np.arange(horizon), m), cluster=session, **columns
    )


LAWS: list[Callable[[SessionEstimator], None]] = [
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
