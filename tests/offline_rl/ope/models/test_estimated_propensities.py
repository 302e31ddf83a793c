"""Propensities of logs without them: near the true ones, never from the round's own user, and marked."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from offline_rl.ope.models.action_model import fit_action_model
from offline_rl.ope.models.estimated_propensities import MARK, Choices, estimate_propensities
from offline_rl.ope.models.probability_calibration import Calibration, calibrate_actions
from offline_rl.ope.records import Floats
from tests.offline_rl.ope.worlds import softmax


def drawn(n: int, n_actions: int, seed: int = 0, taste: float = 0.7) -> tuple[Choices, Floats]:
    """A softmax policy over two features, and the probabilities [n, A] it drew with."""
    rng = np.random.default_rng(seed)
    context = rng.normal(3.0, 2.0, size=(n, 2))
    preference = np.random.default_rng(7).normal(size=(2, n_actions))
    probabilities = softmax(taste * (context - 3.0) / 2.0 @ preference)
    action = (rng.random((n, 1)) > probabilities.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return Choices(context, action, np.arange(n), n_actions), probabilities


def log_error(estimated: Floats, true: Floats) -> float:
    return float(np.sqrt(np.mean(np.log(estimated / true) ** 2)))


@pytest.mark.parametrize("calibration", ["none", "sigmoid", "isotonic"])
def test_estimates_are_near_the_true_propensities(calibration: Calibration) -> None:
    choices, probabilities = drawn(3000, 4)
    estimated = estimate_propensities(choices, calibration=calibration)
    true = probabilities[np.arange(3000), choices.action]
    uniform = log_error(np.full(3000, 0.25), true)
    assert log_error(estimated.propensity, true) < (0.4 if calibration == "isotonic" else 0.15) * uniform
    assert estimated.calibration_error < 0.03
    assert estimated.note == MARK
    assert estimated.is_identified


def test_importance_weights_have_mean_one() -> None:
    choices, _ = drawn(4000, 5)
    estimated = estimate_propensities(choices)
    assert (0.2 / estimated.propensity).mean() == pytest.approx(1.0, abs=0.05)


def test_without_availability_the_model_is_the_multinomial_of_scikit_learn() -> None:
    """Two ways, one answer: levels are free there and nearly free here."""
    choices, _ = drawn(1500, 3)
    ours = fit_action_model(choices.context, choices.action, None, 3)
    scaled = ours.standardize(choices.context)
    theirs = LogisticRegression(C=1.0, max_iter=500, tol=1e-8).fit(scaled, choices.action)
    assert ours.probabilities(choices.context, None) == pytest.approx(theirs.predict_proba(scaled), abs=1e-3)


def test_an_action_seldom_on_offer_is_not_disliked() -> None:
    """Uniform among what is on offer: action 2 is offered in a fifth of the rounds, and then chosen in a
    third."""
    rng = np.random.default_rng(0)
    set_index = (rng.random(5000) < 0.8).astype(int)
    available = np.array([[True, True, True], [True, True, False]])
    action = np.where(set_index == 0, rng.integers(0, 3, 5000), rng.integers(0, 2, 5000))
    choices = Choices(
        np.zeros((5000, 0)), action, np.arange(5000), 3, available=available, set_index=set_index
    )
    estimated = estimate_propensities(choices)
    assert estimated.propensity[set_index == 0] == pytest.approx(1 / 3, abs=0.03)
    assert estimated.propensity[set_index == 1] == pytest.approx(1 / 2, abs=0.03)
    pooled = estimate_propensities(replace(choices, available=None, set_index=None))
    assert pooled.propensity[(set_index == 0) & (action == 2)].max() < 0.15


def test_slots_have_their_own_propensities() -> None:
    rng = np.random.default_rng(0)
    slot = rng.integers(0, 2, 3000)
    action = (rng.random(3000) < np.where(slot == 0, 0.8, 0.3)).astype(int)
    choices = Choices(np.zeros((3000, 0)), action, np.arange(3000), 2, slot=slot)
    estimated = estimate_propensities(choices).propensity
    assert estimated[(slot == 0) & (action == 1)] == pytest.approx(0.8, abs=0.04)
    assert estimated[(slot == 1) & (action == 1)] == pytest.approx(0.3, abs=0.04)


def test_a_users_own_choices_do_not_move_their_propensity() -> None:
    choices, _ = drawn(600, 3)
    choices = replace(choices, cluster=np.arange(600) // 3)
    hers = choices.cluster == 11
    first = int(np.argmax(hers))
    before = estimate_propensities(choices).propensity
    changed = replace(choices, action=np.where(hers, choices.action[first], choices.action))
    assert estimate_propensities(changed).propensity[first] == before[first]


def test_the_order_of_rows_is_irrelevant() -> None:
    choices, _ = drawn(600, 3)
    shuffle = np.random.default_rng(0).permutation(600)
    shuffled = Choices(choices.context[shuffle], choices.action[shuffle], choices.cluster[shuffle], 3)
    assert estimate_propensities(shuffled).propensity == pytest.approx(
        estimate_propensities(choices).propensity[shuffle], rel=1e-4
    )


def test_a_policy_of_cells_without_chance_identifies_nothing() -> None:
    rng = np.random.default_rng(0)
    cell = rng.integers(0, 8, 2000)
    estimated = estimate_propensities(Choices(np.eye(8)[cell], cell % 3, np.arange(2000), 3))
    assert not estimated.is_identified
    assert estimated.foreseen_share == 1.0
    assert estimated.reasons[1].code == "nothing_left_to_chance"


@pytest.mark.parametrize("shape", ["linear", "corners"])
def test_a_policy_without_chance_is_seen_through(shape: str) -> None:
    rng = np.random.default_rng(1)
    context = rng.normal(size=(3000, 2))
    linear = (context @ np.array([[1.0, -1.0, 0.5], [0.0, 1.0, -2.0]])).argmax(axis=1)
    corners = np.where(context[:, 0] > 0.3, 0, np.where(context[:, 1] > 0, 1, 2))
    action = linear if shape == "linear" else corners
    assert not estimate_propensities(Choices(context, action, np.arange(3000), 3)).is_identified


def test_a_little_exploration_is_identified_but_warned_of() -> None:
    rng = np.random.default_rng(0)
    cell = rng.integers(0, 6, 4000)
    action = np.where(rng.random(4000) < 0.03, rng.integers(0, 3, 4000), cell % 3)
    estimated = estimate_propensities(Choices(np.eye(6)[cell], action, np.arange(4000), 3))
    assert estimated.is_identified
    assert estimated.foreseen_share == pytest.approx(0.98, abs=0.01)
    surprised = action != cell % 3
    assert estimated.propensity[surprised].mean() == pytest.approx(0.01, abs=0.005)


def test_rounds_without_a_choice_identify_nothing() -> None:
    choices = Choices(np.ones((50, 1)), np.zeros(50, dtype=int), np.arange(50), 1)
    estimated = estimate_propensities(choices)
    assert not estimated.is_identified
    assert estimated.propensity == pytest.approx(np.ones(50))


def test_a_policy_that_the_model_can_not_follow_is_reported() -> None:
    """Greedy with one tenth of exploration in continuous contexts: no logit has such a shape."""
    rng = np.random.default_rng(2)
    context = rng.normal(size=(3000, 2))
    greedy = (np.abs(context[:, 0]) > 0.7).astype(int)
    action = np.where(rng.random(3000) < 0.1, 1 - greedy, greedy)
    estimated = estimate_propensities(Choices(context, action, np.arange(3000), 2), calibration="none")
    assert estimated.is_identified
    assert estimated.reliability.n_rounds == 3000


def test_calibration_mends_a_model_that_is_too_sure() -> None:
    choices, probabilities = drawn(4000, 3)
    too_sure = probabilities**2 / (probabilities**2).sum(axis=1, keepdims=True)
    for calibration in ("sigmoid", "isotonic"):
        mended = calibrate_actions(too_sure, choices.action, calibration)(too_sure)
        assert np.abs(mended - probabilities).mean() < 0.5 * np.abs(too_sure - probabilities).mean()
        assert mended.sum(axis=1) == pytest.approx(np.ones(4000))
        assert mended.min() > 0


def test_calibration_keeps_what_was_impossible_impossible() -> None:
    choices, probabilities = drawn(500, 3)
    probabilities = probabilities.copy()
    probabilities[:100, 2] = 0.0
    action = np.where((np.arange(500) < 100) & (choices.action == 2), 0, choices.action)
    mended = calibrate_actions(probabilities, action, "isotonic")(probabilities)
    assert not mended[:100, 2].any()
    assert (mended[100:, 2] > 0).all()


def test_an_action_that_other_folds_lack_stays_possible() -> None:
    action = np.zeros(300, dtype=int)
    action[::2], action[7] = 1, 2
    estimated = estimate_propensities(Choices(np.zeros((300, 0)), action, np.arange(300), 3))
    assert 0 < estimated.propensity[7] < 0.05


def test_an_action_that_was_not_available_is_refused() -> None:
    with pytest.raises(ValueError, match="row 1: action 1 was logged, but was not available"):
        Choices(
            np.zeros((2, 1)),
            np.array([0, 1]),
            np.arange(2),
            2,
            available=np.array([[True, False]]),
            set_index=np.zeros(2, dtype=int),
        )


def test_availability_needs_both_columns() -> None:
    with pytest.raises(ValueError, match="give both or neither"):
        Choices(np.zeros((1, 1)), np.array([0]), np.array([0]), 1, available=np.array([[True]]))
