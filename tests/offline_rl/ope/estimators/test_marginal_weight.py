import numpy as np
import pytest

from offline_rl.ope.estimators.marginal_weight import marginal_weight
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.records import EvaluationRounds, Floats
from tests.laws.estimators import value
from tests.offline_rl.ope.worlds import coin_log

MIPS, SNMIPS = from_name("mips"), from_name("snmips")

COLOR, PRICE = np.eye(2), np.eye(2)
"""p(e_d∣a): action 0 is red and cheap, action 1 is blue and dear."""


def coin_probs(n: int, play_one: float) -> Floats:
    return np.tile([1 - play_one, play_one], (n, 1))


def coin_with(weight: Floats) -> EvaluationRounds:
    return coin_log(8, play_one=0.75, marginal_weight=weight)


def test_dimensions_are_joint() -> None:
    """A coin that pays 1 and whose two dimensions say the same: its embedding is the action itself."""
    action = np.arange(8) % 2
    evaluated, logged = coin_probs(8, 0.75), coin_probs(8, 0.5)
    color, price = COLOR.T[action], PRICE.T[action]
    joint = marginal_weight(evaluated, logged, (color, price))
    assert joint.tolist() == [0.5, 1.5] * 4
    assert value(MIPS, coin_with(joint)) == 0.75
    assert value(SNMIPS, coin_with(joint)) == 0.75

    marginals = marginal_weight(evaluated, logged, color) * marginal_weight(evaluated, logged, price)
    # 4 × 1.5² / 8, more than any reward; and 2.25 / (2.25 + 0.25).
    assert value(MIPS, coin_with(marginals)) == 1.125
    assert value(SNMIPS, coin_with(marginals)) == 0.9


def test_independent_dimensions_multiply() -> None:
    """Four actions: every color at every price, chosen independently by both policies."""
    color_of, price_of = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    evaluated = np.outer([0.7, 0.3], [0.4, 0.6]).reshape(1, 4)
    logged = np.outer([0.5, 0.5], [0.2, 0.8]).reshape(1, 4)
    red, cheap = (color_of == 0)[np.newaxis] * 1.0, (price_of == 0)[np.newaxis] * 1.0
    joint = marginal_weight(evaluated, logged, (red, cheap))
    marginals = marginal_weight(evaluated, logged, red) * marginal_weight(evaluated, logged, cheap)
    assert joint == pytest.approx(marginals)


def test_one_array_may_be_joint_already() -> None:
    rng = np.random.default_rng(0)
    evaluated, logged = rng.dirichlet(np.ones(5), 7), rng.dirichlet(np.ones(5), 7)
    color, price = rng.random((7, 5)), rng.random((7, 5))
    assert marginal_weight(evaluated, logged, color * price) == pytest.approx(
        marginal_weight(evaluated, logged, (color, price))
    )


def test_an_embedding_that_says_nothing_weighs_1_and_one_that_says_all_weighs_w() -> None:
    rng = np.random.default_rng(1)
    evaluated, logged = rng.dirichlet(np.ones(4), 9), rng.dirichlet(np.ones(4), 9)
    action = np.arange(9) % 4
    assert marginal_weight(evaluated, logged, np.full((9, 4), 0.3)) == pytest.approx(np.ones(9))
    assert marginal_weight(evaluated, logged, np.eye(4)[action]) == pytest.approx(
        (evaluated / logged)[np.arange(9), action]
    )


def test_an_impossible_embedding_is_refused() -> None:
    embedding = np.array([[1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match=r"^row 1: no action of the logging policy can show"):
        marginal_weight(coin_probs(2, 0.75), coin_probs(2, 0.5), embedding)


def test_shapes_agree() -> None:
    with pytest.raises(ValueError, match=r"shapes \(2, 2\) and \(2, 3\)"):
        marginal_weight(coin_probs(2, 0.75), coin_probs(2, 0.5), np.ones((2, 3)))


def test_the_conjunct_effect_model_repairs_what_the_embedding_leaves_out() -> None:
    """Four actions in two clusters, each logged twice by a uniform policy; the odd ones earn 1 more.

    The new policy plays 1/8, 3/8 in the first cluster and the same in the second. MIPS can't see that it
    prefers the odd ones: both clusters weigh 1. q̂ knows what an odd one earns more, and is wrong about the
    rest.
    """
    action = np.tile(np.arange(4), 2)
    earned, evaluated = np.array([2.0, 3.0, 5.0, 6.0]), np.array([1, 3, 1, 3]) / 8
    q_hat = np.array([0.0, 1.0, 0.0, 1.0]) + np.array([9.0, 9.0, -4.0, -4.0])
    rounds = EvaluationRounds(
        reward=earned[action],
        propensity=np.full(8, 0.25),
        evaluation_prob=evaluated[action],
        cluster=np.arange(8),
        segment=np.zeros(8, dtype=int),
        q_logged=q_hat[action],
        q_policy=np.full(8, evaluated @ q_hat),
        marginal_weight=np.ones(8),
    )
    assert evaluated @ earned == 4.25
    assert value(MIPS, rounds) == 4.0
    assert value(from_name("off_cem"), rounds) == 4.25
