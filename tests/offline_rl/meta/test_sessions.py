"""Short sessions of a cart and an offer: the first step earns nothing, and yet every learner learns it.

A session shows one of two products (step 0, no reward) and, where the visitor put it in the cart, one of
three offers beside it (step 1, bought or not).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from offline_rl.logged_data import Tasks
from offline_rl.meta.learner import Learner, LearningSettings
from offline_rl.meta.named_learners import LEARNERS
from offline_rl.meta.sessions import following_steps, per_decision_returns, session_tasks
from offline_rl.policies.policy import Policy
from tests.laws.learners import load_world

Floats = NDArray[np.float64]

PRODUCTS, OFFERS = (0, 1), (2, 3, 4)
SETTINGS = LearningSettings(max_steps=40, evaluate_every=10, patience=3, hidden=4, tasks_per_step=6)


@dataclass(frozen=True)
class Shop:
    """cart [segment, product]: chances of being carted; buy [product, offer]: of being bought."""

    cart: Floats
    buy: Floats

    @property
    def n_segments(self) -> int:
        return len(self.cart)

    def value(self, policy: Policy, segment: int) -> float:
        """True purchases per session."""
        first = self._chosen(policy, state=0)[list(PRODUCTS)]
        second = np.stack([self._chosen(policy, state=1 + product)[list(OFFERS)] for product in PRODUCTS])
        return float(first @ (self.cart[segment] * (second * self.buy).sum(1)))

    def _chosen(self, policy: Policy, state: int) -> Floats:
        available = torch.zeros(1, 5, dtype=torch.bool)
        available[0, list(PRODUCTS if state == 0 else OFFERS)] = True
        chances = policy.action_probabilities(
            torch.eye(3)[state : state + 1], torch.tensor([min(state, 1)]), torch.eye(5), available
        )
        return chances[0].double().numpy()


TWO_TASTES = Shop(
    cart=np.array([[0.8, 0.1] if segment % 2 else [0.1, 0.8] for segment in range(20)]),
    buy=np.array([[0.7, 0.2, 0.2], [0.7, 0.2, 0.2]]),
)
"""Segments differ in what they put in the cart; the offer that sells is the same."""

HIDDEN_GEM = Shop(cart=np.tile([0.7, 0.5], (20, 1)), buy=np.array([[0.3, 0.3, 0.3], [0.9, 0.05, 0.05]]))
"""Of 100 sessions product 0 sells in 21 with any offer; product 1 in 17 on average, in 45 with the best."""


def log_sessions(
    shop: Shop, folder: Path, sessions: int = 200, seed: int = 0
) -> tuple[Tasks, Tensor, Tensor]:
    """Tasks, and session and step of their rounds, logged under uniform choices; in the order of time."""
    rng = np.random.default_rng(seed)
    n = shop.n_segments * sessions
    segment = np.repeat(np.arange(shop.n_segments), sessions)
    product, offer = rng.integers(2, size=n), rng.integers(3, size=n)
    carted = rng.random(n) < shop.cart[segment, product]
    bought = rng.random(n) < shop.buy[product, offer]
    position = np.tile(np.linspace(0.0, 1.0, sessions, endpoint=False), shop.n_segments)
    window = np.select([position < 0.5, position < 0.7], [0, 1], 2).astype(np.int8)
    # First steps and second steps side by side, then in the order in which they happened.
    rows = np.concatenate([np.arange(n), np.flatnonzero(carted)])
    step = np.repeat([0, 1], [n, carted.sum()])
    order = np.lexsort((step, rows))
    rows, step = rows[order], step[order]
    state = np.where(step == 0, 0, 1 + product[rows])
    available = np.zeros((2, 5), np.bool_)
    available[0, list(PRODUCTS)] = available[1, list(OFFERS)] = True
    arrays = {
        "context": np.eye(3, dtype=np.float32)[state],
        "slot": step,
        "action": np.where(step == 0, product[rows], OFFERS[0] + offer[rows]),
        "reward": np.where(step == 1, bought[rows], 0.0),
        "propensity": np.where(step == 0, 1 / 2, 1 / 3),
        "set_index": step,
        "available": available,
        "segment": segment[rows],
        "cluster": rows,
        "window": window[rows],
        "item_features": np.eye(5, dtype=np.float32),
        "incumbent_counts": np.zeros((shop.n_segments, 2, 5)),
        # Both tastes in each split.
        "segment_split": np.array([0, 0, 0, 1, 2], np.int8)[np.arange(shop.n_segments) // 2 % 5],
        "n_slots": np.array(2),
        "segment_ids": np.array([f"segment {g}" for g in range(shop.n_segments)]),
        "action_ids": np.array([f"item {a}" for a in range(5)]),
    }
    return load_world(folder, arrays), torch.from_numpy(rows), torch.from_numpy(step)


def mean_value(learner: Learner, shop: Shop, tasks: Tasks) -> float:
    """True purchases per session on the test segments, each adapted to on its rounds before the holdout."""
    policy = learner.meta_train(tasks, SETTINGS, seed=0)
    served = {g: policy.adapt(tasks.window("training", [g])) for g in tasks.split("meta_test")}
    return float(np.mean([shop.value(served[segment], segment) for segment in served]))


FOR_ALL = ("pooled_reward_model", "pooled_two_tower", "reinforce", "popularity", "crosses_logit", "boosting")
ADAPTING = [learner for learner in LEARNERS.values() if learner.name not in FOR_ALL]


@pytest.mark.parametrize("learner", ADAPTING, ids=lambda learner: learner.name)
def test_adapting_learners_find_the_product_that_a_segment_puts_in_its_cart(
    learner: Learner, tmp_path: Path
) -> None:
    """Of 0.8 * 0.7 = 0.56 purchases the pooled model gets half: it can't tell the two tastes apart."""
    tasks, session, step = log_sessions(TWO_TASTES, tmp_path)
    by_session = session_tasks(tasks, session, step, SETTINGS, seed=0)
    assert mean_value(learner, TWO_TASTES, by_session) > 0.45
    assert mean_value(learner, TWO_TASTES, tasks) < 0.38


@pytest.mark.parametrize("name", FOR_ALL)
def test_learners_for_all_segments_find_the_product_that_sells_only_with_its_offer(
    name: str, tmp_path: Path
) -> None:
    """0.5 * 0.9 = 0.45; paid by the logged rest of the session they take the other one, 0.7 * 0.3 = 0.21."""
    learner = LEARNERS[name]
    tasks, session, step = log_sessions(HIDDEN_GEM, tmp_path)
    following = following_steps(tasks, session, step)
    one, zero = torch.ones_like(tasks.rounds.reward), torch.zeros_like(tasks.rounds.reward)
    logged = per_decision_returns(tasks.rounds.reward, following, one, zero, zero, discount=1.0)
    by_logged = replace(tasks, rounds=replace(tasks.rounds, reward=logged))
    assert mean_value(learner, HIDDEN_GEM, by_logged) < 0.3
    assert mean_value(learner, HIDDEN_GEM, session_tasks(tasks, session, step, SETTINGS, seed=0)) > 0.38


def test_returns_are_the_first_step_s_value_under_the_later_policy(tmp_path: Path) -> None:
    """Mean return of each product, over many sessions, against cart rate times the best offer's sales."""
    tasks, session, step = log_sessions(HIDDEN_GEM, tmp_path, sessions=2000)
    rounds = session_tasks(tasks, session, step, SETTINGS, seed=0, discount=0.9).rounds
    for product, expected in ((0, 0.9 * 0.7 * 0.3), (1, 0.9 * 0.5 * 0.9)):
        of_product = rounds.reward[(step == 0) & (rounds.action == product)]
        error = float(of_product.std()) / math.sqrt(len(of_product))
        assert float(of_product.mean()) == pytest.approx(expected, abs=4 * error)
    second = step == 1
    assert torch.equal(rounds.reward[second], tasks.rounds.reward[second])


def test_a_log_of_single_rounds_comes_back_as_it_is(tmp_path: Path) -> None:
    tasks, session, _ = log_sessions(TWO_TASTES, tmp_path, sessions=10)
    alone = torch.arange(tasks.rounds.n)
    assert session_tasks(tasks, alone, torch.zeros_like(session), SETTINGS, seed=0) is tasks


def test_a_session_is_cut_where_it_leaves_its_window_or_its_segment(tmp_path: Path) -> None:
    tasks, session, step = log_sessions(TWO_TASTES, tmp_path, sessions=50)
    following = following_steps(tasks, session, step)
    here = torch.nonzero(following >= 0).flatten()
    assert int((step == 1).sum()) == len(here)
    first, second = int(here[0]), int(following[here[0]])
    for change in (
        replace(tasks, window_code=_changed(tasks.window_code, second, 1)),
        replace(tasks, rounds=replace(tasks.rounds, segment=_changed(tasks.rounds.segment, second, 7))),
    ):
        cut = following_steps(change, session, step)
        assert int(cut[first]) == -1
        assert torch.equal(cut[here[1:]], following[here[1:]])


def _changed(values: Tensor, row: int, value: int) -> Tensor:
    changed = values.clone()
    changed[row] = value
    return changed


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda step: step[:-1], "one entry for each"),
        (lambda step: step + 1, "where step 0 was expected"),
        (torch.zeros_like, "where step 1 was expected"),
        (lambda step: 2 * step, "where step 1 was expected"),
    ],
)
def test_steps_out_of_order_are_told_with_their_row(
    spoil: Callable[[Tensor], Tensor], told: str, tmp_path: Path
) -> None:
    tasks, session, step = log_sessions(TWO_TASTES, tmp_path, sessions=20)
    with pytest.raises(ValueError, match=told):
        following_steps(tasks, session, spoil(step))


@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=6),
    seed=st.integers(0, 2**16),
    discount=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_returns_agree_with_the_recursion_written_out(lengths: list[int], seed: int, discount: float) -> None:
    """Rows in any order, sessions of one to five steps, against a loop from each session's end."""
    rng = np.random.default_rng(seed)
    n = sum(lengths)
    place = rng.permutation(n)
    reward, weight, q, v = (torch.from_numpy(rng.standard_normal(n)) for _ in range(4))
    following, expected = torch.full((n,), -1), reward.clone()
    ends = np.cumsum(lengths)
    for end, length in zip(ends, lengths, strict=True):
        rows = place[end - length : end]
        for here, there in reversed(list(pairwise(rows))):
            following[here] = int(there)
            rest = v[there] + weight[there] * (expected[there] - q[there])
            expected[here] = reward[here] + discount * rest
    found = per_decision_returns(reward, following, weight, q, v, discount=discount)
    torch.testing.assert_close(found, expected)


def test_a_model_takes_noise_out_and_adds_no_bias() -> None:
    """Ten thousand pairs of steps under a uniform log of two actions; the policy prefers the second, 0.8."""
    generator = torch.Generator().manual_seed(0)
    pairs = 10_000
    action = torch.randint(2, (pairs,), generator=generator)
    sold = torch.rand(pairs, generator=generator) < torch.tensor([0.2, 0.6])[action]
    reward = torch.stack([torch.zeros(pairs), sold.float()], 1).flatten()
    following = torch.where(torch.arange(2 * pairs) % 2 == 0, torch.arange(2 * pairs) + 1, -1)
    weight = torch.stack([torch.ones(pairs), torch.tensor([0.2, 0.8])[action] / 0.5], 1).flatten()
    modeled = torch.tensor([0.25, 0.5])
    q = torch.stack([torch.zeros(pairs), modeled[action]], 1).flatten()
    v = torch.full((2 * pairs,), float(torch.tensor([0.2, 0.8]) @ modeled))
    zero = torch.zeros(2 * pairs)
    plain, controlled = (
        per_decision_returns(reward, following, weight, *model, discount=1.0)[::2]
        for model in ((zero, zero), (q, v))
    )
    truth = 0.2 * 0.2 + 0.8 * 0.6
    for returns in (plain, controlled):
        error = float(returns.std()) / math.sqrt(pairs)
        assert float(returns.mean()) == pytest.approx(truth, abs=4 * error)
    assert float(controlled.std()) < 0.9 * float(plain.std())
