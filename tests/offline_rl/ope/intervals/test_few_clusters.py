"""Intervals from few clusters: wide enough, and none from one."""

import numpy as np
import pytest

from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds

ROUNDS = 10


def evaluated(n_clusters: int, seed: int) -> Evaluation:
    """Two actions at even odds; how much better the second is differs by cluster, with mean 1 and sd 1."""
    rng = np.random.default_rng([seed, n_clusters])
    cluster = np.repeat(np.arange(n_clusters), ROUNDS)
    action = np.tile(np.arange(ROUNDS) % 2, n_clusters)
    reward = action * rng.normal(1.0, 1.0, n_clusters)[cluster]
    rounds = {
        name: EvaluationRounds(
            reward=reward,
            propensity=np.full(len(cluster), 0.5),
            evaluation_prob=np.where(action == 1, taken, 1 - taken),
            cluster=cluster,
            segment=np.zeros(len(cluster), dtype=int),
        )
        for name, taken in (("new", 1.0), ("log", 0.5))
    }
    return evaluate(rounds, [from_name("ips")], n_resamples=200, seed=seed)


@pytest.mark.parametrize("n_clusters", [2, 3, 5, 10])
def test_a_difference_from_few_clusters_is_held_as_often_as_promised(n_clusters: int) -> None:
    """Student's interval is exact for normal effects: 190 of 200 on average, 182 or fewer in 1 % of studies.

    BCa alone held it in 108, 140, 168 and 178 of 200; with Student's it is 197, 190, 196 and 189.
    """
    held = 0
    for seed in range(200):
        found = evaluated(n_clusters, seed).difference("new", "log", "ips")
        held += found.lower <= 0.5 <= found.upper
    assert held >= 183


def test_one_cluster_gives_no_difference_either() -> None:
    found = evaluated(1, 0).difference("new", "log", "ips")
    assert np.isfinite(found.value)
    assert np.isnan([found.lower, found.upper]).all()
