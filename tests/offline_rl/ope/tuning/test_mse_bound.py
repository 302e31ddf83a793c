"""The bound on the mean squared error: agreement with Open Bandit Pipeline, and a world solved on paper."""

import json
from dataclasses import replace
from math import log
from pathlib import Path

import numpy as np
import pytest

from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.estimators.named_estimators import WITH_HYPERPARAMETER, from_name
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.tuning.mse_bound import MSEBound
from offline_rl.ope.tuning.tuned import CUTS, tuned
from tests.offline_rl.ope.worlds import World, coin_log

IPS, DR = (from_name(name) for name in ("ips", "dr"))
CLIPPED_IPS = WITH_HYPERPARAMETER["ips"]
CLIPPED_DR = WITH_HYPERPARAMETER["dr"]

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "tuning_small.json").read_text())["tuning"]
FAMILIES: dict[str, tuple[str, Estimator]] = {
    "IPWTuning": ("ips", IPS),
    "DRTuning": ("dr", DR),
    "SwitchDRTuning": ("switch_dr", DR),
    "DRosTuning": ("dr_os", DR),
    "SubGaussianIPWTuning": ("subgaussian_ips", IPS),
    "SubGaussianDRTuning": ("subgaussian_dr", DR),
}


@pytest.fixture(scope="module")
def rounds() -> EvaluationRounds:
    with np.load(HERE.parent / "ope_small.npz", allow_pickle=False) as log:
        row = np.arange(len(log["action"]))
        return EvaluationRounds(
            reward=log["reward"],
            propensity=log["pscore"],
            evaluation_prob=log["action_dist"][row, log["action"]],
            cluster=row,
            segment=np.zeros_like(row),
            q_logged=log["q_hat"][row, log["action"]],
            q_policy=(log["action_dist"] * log["q_hat"]).sum(axis=1),
        )


@pytest.mark.parametrize("entry", [entry for entry in EXPECTED if "/mse/" in entry])
def test_agreement_with_open_bandit_pipeline(entry: str, rounds: EvaluationRounds) -> None:
    expected = EXPECTED[entry]
    family, unshrunk = FAMILIES[entry.split("/", maxsplit=1)[0]]
    hyperparameters = [float(number) for number in expected["lambdas"]]
    rule = MSEBound(unshrunk, is_upper_bound=entry.endswith("ub=True"))
    chosen = tuned(WITH_HYPERPARAMETER[family], hyperparameters, rounds, rule)
    assert chosen.hyperparameter == float(expected["best"])
    assert chosen.scores == pytest.approx(list(expected["mse_scores"].values()), rel=1e-9)
    sums = chosen.estimator.terms(rounds).sum(axis=0)
    assert float(chosen.estimator.value(sums)) == pytest.approx(expected["value"], rel=1e-9)


def test_a_coin_on_paper() -> None:
    """Always 1 on a fair coin: w r = 2 on half of 100 rounds. Clipped at 1: mean 1/2, variance 1/4."""
    rounds = coin_log(100, play_one=1.0)
    bare = tuned(CLIPPED_IPS, (2.0, 1.0), rounds, MSEBound(IPS, is_upper_bound=False))
    assert bare.scores == pytest.approx([1.0 / 100, 0.25 / 100 + 0.5**2])
    assert bare.hyperparameter == 2.0
    # mean(w²) = 2 and max w = 2.
    deviation = np.sqrt(2 * 2 * log(20) / 100) + 2 * 2 * log(20) / 300
    bounded = tuned(CLIPPED_IPS, (2.0, 1.0), rounds, MSEBound(IPS))
    assert bounded.scores == pytest.approx([0.01 + deviation**2, 0.0025 + (0.5 + deviation) ** 2])


@pytest.mark.parametrize("is_upper_bound", [True, False])
def test_the_unit_of_the_reward_is_irrelevant(is_upper_bound: bool) -> None:
    rounds = World(level=0.3, logged_taste=4).log(500, seed=0)
    in_cents = replace(rounds, reward=100 * rounds.reward)
    rule = MSEBound(IPS, is_upper_bound=is_upper_bound)
    one, hundred = tuned(CLIPPED_IPS, CUTS, rounds, rule), tuned(CLIPPED_IPS, CUTS, in_cents, rule)
    assert one.hyperparameter == hundred.hyperparameter
    assert hundred.scores == pytest.approx([1e4 * score for score in one.scores])


def test_nothing_is_remembered_from_one_log_to_the_next() -> None:
    rule = MSEBound(DR, is_upper_bound=False)
    mild, heavy = World(level=0.3).log(4000, seed=0), World(level=0.3, logged_taste=4).log(400, seed=0)
    alone = tuned(CLIPPED_DR, CUTS, heavy, rule)
    first, second = tuned(CLIPPED_DR, CUTS, mild, rule), tuned(CLIPPED_DR, CUTS, heavy, rule)
    assert first.hyperparameter != second.hyperparameter
    assert second == alone


def test_without_shrinkage_there_is_no_bias() -> None:
    rounds = World().log(200, seed=0)
    x = rounds.weight * rounds.reward
    (score,) = tuned(CLIPPED_IPS, (1e9,), rounds, MSEBound(IPS, is_upper_bound=False)).scores
    assert score == pytest.approx(x.var() / 200)


@pytest.mark.parametrize("delta", [0.0, 1.0, float("nan")])
def test_delta_is_a_share(delta: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        MSEBound(IPS, delta=delta)
