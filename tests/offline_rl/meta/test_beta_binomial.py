"""Method of moments and posterior by hand, and recovery of a simulated prior."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.beta_binomial import ALIKE, BetaBinomial, BetaBinomialMetaPolicy, prior_strength
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.shared_fits import SharedFits
from tests.laws.learners import chosen, load_world, log_rounds, opposite_world

QUICK = LearningSettings(hidden=4)


def test_moments_of_three_unequal_groups_by_hand() -> None:
    """s = 1, 6, 6 of n = 10, 10, 20: m = 13/40; the excess over chance, over what can show it."""
    m = 13 / 40
    between = 10 * (0.1 - m) ** 2 + 10 * (0.6 - m) ** 2 + 20 * (0.3 - m) ** 2 - 2 * m * (1 - m)
    v = between / (40 - (100 + 100 + 400) / 40)
    mean, strength = prior_strength(
        torch.tensor([1.0, 6.0, 6.0]).double(), torch.tensor([10.0, 10.0, 20.0]).double(), within=None
    )
    assert mean.item() == pytest.approx(m)
    assert strength.item() == pytest.approx(m * (1 - m) / v - 1)


def test_groups_that_differ_by_chance_only_are_alike() -> None:
    counts = torch.full((4,), 50.0).double()
    _, strength = prior_strength(torch.tensor([5.0, 5.0, 5.0, 5.0]).double(), counts, within=None)
    assert strength.item() == ALIKE
    mean, strength = prior_strength(torch.zeros(4).double(), torch.zeros(4).double(), within=None)
    assert (mean.item(), strength.item()) == (0.0, ALIKE)


def test_a_simulated_prior_is_recovered() -> None:
    rng = np.random.default_rng(0)
    counts = rng.integers(50, 200, (400, 3)).astype(float)
    rates = rng.beta([2.0, 6.0, 1.0], [8.0, 24.0, 19.0], (400, 3))
    successes = rng.binomial(counts.astype(int), rates).astype(float)
    mean, strength = prior_strength(torch.from_numpy(successes), torch.from_numpy(counts), within=None)
    np.testing.assert_allclose(mean, [0.2, 0.2, 0.05], rtol=0.12)
    np.testing.assert_allclose(strength, [10.0, 30.0, 20.0], rtol=0.3)


def test_the_posterior_mean_is_served(tmp_path: Path) -> None:
    """m = 0.2, M = 8 and 3 of 4 rounds rewarded: (3 + 1.6) / (4 + 8); the other item, unseen, keeps m."""
    policy = BetaBinomialMetaPolicy(
        name="by hand",
        mean=torch.tensor([0.2, 0.3]).double(),
        strength=torch.tensor([8.0, 8.0]).double(),
        temperature=1.0,
        is_binary=True,
        reward_scale=1.0,
        validation_value=0.0,
        validation_gain=0.0,
    )
    tasks = load_world(tmp_path, log_rounds(opposite_world(), 20))
    rows = tasks.rounds.select(torch.arange(4))
    support = LoggedRounds(
        **{
            **vars(rows),
            "action": torch.zeros(4, dtype=torch.int64),
            "reward": torch.tensor([1.0, 0.0, 1.0, 1.0]).double(),
        }
    )
    posterior = 4.6 / 12
    odds = (posterior / (1 - posterior)) / (0.3 / 0.7)
    expected = torch.tensor([odds / (1 + odds), 1 / (1 + odds)])
    torch.testing.assert_close(chosen(policy.adapt(support), rows)[0], expected, check_dtype=False)
    logits = [math.log(0.2 / 0.8), math.log(0.3 / 0.7)]
    pooled = torch.softmax(torch.tensor(logits), 0)
    torch.testing.assert_close(chosen(policy.zero_shot(), rows)[0], pooled, check_dtype=False)


def test_groups_of_one_rate_have_a_prior_stronger_than_their_rounds() -> None:
    counts = torch.full((300, 4), 60.0).double()
    successes = np.random.default_rng(1).binomial(60, 0.2, (300, 4)).astype(float)
    _, strength = prior_strength(torch.from_numpy(successes), counts, within=None)
    assert float(strength.min()) > 5 * 60


def test_amounts_are_shrunk_by_the_same_formula(tmp_path: Path) -> None:
    arrays = log_rounds(opposite_world(), 100)
    amounts = {**arrays, "reward": 30.0 * arrays["reward"].astype(float) + 5.0}
    policy = BetaBinomial().meta_train(SharedFits(load_world(tmp_path, amounts), QUICK, 0))
    assert not policy.is_binary
    assert float(policy.strength.max()) < 2.0
    assert policy.adapts
