"""SLOPE: its rule, its agreement with Open Bandit Pipeline, and intervals that know of the choice."""

import json
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.tuning.mean_moments import MeanMoments, contributions
from offline_rl.ope.tuning.slope import Slope, choices, choose
from offline_rl.ope.tuning.tuned import CUTS, FRACTIONS, GRIDS, TunedEstimator
from tests.laws.estimators import LAWS
from tests.offline_rl.ope.worlds import World

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "tuning_small.json").read_text())["tuning"]
FAMILIES = {
    "IPWTuning": "ips",
    "DRTuning": "dr",
    "SwitchDRTuning": "switch_dr",
    "DRosTuning": "dr_os",
    "SubGaussianIPWTuning": "subgaussian_ips",
    "SubGaussianDRTuning": "subgaussian_dr",
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


def once(family: str, rounds: EvaluationRounds, grid: tuple[float, ...] = CUTS) -> Estimator:
    """The candidate that the whole log chooses, as an estimator that chooses no more."""
    inside = TunedEstimator.of(family, grid)
    return inside.chosen(inside.terms(rounds).sum(axis=0))


def value(estimator: Estimator, rounds: EvaluationRounds) -> float:
    return float(estimator.value(estimator.terms(rounds).sum(axis=0)))


@pytest.mark.parametrize("entry", [entry for entry in EXPECTED if entry.endswith("/slope")])
def test_agreement_with_open_bandit_pipeline(entry: str, rounds: EvaluationRounds) -> None:
    expected, family = EXPECTED[entry], FAMILIES[entry.split("/", maxsplit=1)[0]]
    hyperparameters = [float(number) for number in expected["lambdas"]]
    inside = TunedEstimator.of(family, hyperparameters)
    assert inside.chosen(inside.terms(rounds).sum(axis=0)) == from_name(f"{family}:{expected['best']}")
    assert value(inside, rounds) == pytest.approx(expected["value"], rel=1e-9)


def test_candidates_that_agree_leave_the_narrowest() -> None:
    assert choose(np.array([1.0, 1.1, 1.2]), np.array([0.5, 0.3, 0.2])) == 2


def test_the_walk_stops_at_the_first_contradiction_for_good() -> None:
    # The third is 2 away; the fourth agrees with the first two, but lies behind the stop.
    assert choose(np.array([1.0, 1.0, 3.0, 1.0]), np.array([0.4, 0.3, 0.2, 0.1])) == 1


def test_the_reach_of_an_interval_is_that_of_slope_plus_plus() -> None:
    reach = 0.1 + (sqrt(6) - 1) * 0.2
    half_widths = np.array([0.2, 0.1])
    assert choose(np.array([0.0, reach - 1e-9]), half_widths) == 1
    assert choose(np.array([0.0, reach + 1e-9]), half_widths) == 0


def test_the_order_in_which_candidates_are_named_is_irrelevant() -> None:
    rng = np.random.default_rng(0)
    values, half_widths = rng.normal(size=(50, 6)), rng.random((50, 6))
    shuffle = rng.permutation(6)
    assert (
        shuffle[choices(values[:, shuffle], half_widths[:, shuffle])] == choices(values, half_widths)
    ).all()


def test_choices_are_made_place_by_place() -> None:
    rng = np.random.default_rng(1)
    values, half_widths = rng.normal(size=(4, 3, 5)), rng.random((4, 3, 5))
    together = choices(values, half_widths)
    assert together.shape == (4, 3)
    for place in np.ndindex(4, 3):
        assert together[place] == choose(values[place], half_widths[place])


def test_nothing_is_remembered_from_one_log_to_the_next() -> None:
    mild, heavy = World(level=0.3).log(4000, seed=0), World(level=0.3, logged_taste=3).log(500, seed=0)
    estimator = TunedEstimator.of("dr", CUTS)
    of_mild, of_heavy = (estimator.terms(log).sum(axis=0) for log in (mild, heavy))
    assert estimator.chosen(of_mild) != estimator.chosen(of_heavy)
    assert estimator.value(np.stack([of_mild, of_heavy]))[1] == estimator.value(of_heavy)


def test_variances_count_users_not_rounds() -> None:
    """On paper: two users with sums 4 and 0 over 2 rounds each; θ = 1, Var θ = ((4 − 2)² + (0 − 2)²) / 4²."""
    rounds = EvaluationRounds.of_logging_policy(
        reward=np.array([1.0, 0.0, 3.0, 0.0]),
        propensity=np.full(4, 0.5),
        cluster=np.array([7, 9, 7, 9]),
        segment=np.zeros(4, dtype=int),
    )
    terms = MeanMoments.terms(contributions([from_name("ips")], rounds), rounds)
    moments = MeanMoments.of_sums(terms.sum(axis=0))
    assert moments.mean == pytest.approx([1.0])
    assert moments.variance == pytest.approx([0.5])
    assert moments.n_clusters == 2


def test_half_widths_are_those_of_a_students_t() -> None:
    rounds = World().log(50, seed=3)
    x = rounds.weight * rounds.reward
    terms = MeanMoments.terms(contributions([from_name("ips")], rounds), rounds)
    (half_width,) = Slope(delta=0.1).half_widths(MeanMoments.of_sums(terms.sum(axis=0)))
    assert half_width == pytest.approx(1.2990687847 * x.std(ddof=1) / sqrt(50), rel=1e-9)


def test_a_single_user_leaves_the_choice_open_but_defined() -> None:
    rounds = World().log(20, seed=0)
    alone = EvaluationRounds.of_logging_policy(
        reward=rounds.reward,
        propensity=rounds.propensity,
        cluster=np.zeros(20, dtype=int),
        segment=np.zeros(20, dtype=int),
    )
    assert value(TunedEstimator.of("ips", CUTS), alone) == pytest.approx(rounds.reward.mean())


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("family", ["ips", "dr"])
def test_laws_of_estimators(family: str, law: object) -> None:
    law(TunedEstimator.of(family, (float("inf"), 100.0, 10.0, 2.0)))  # type: ignore[operator]


def test_no_sums_identify_nothing() -> None:
    estimator = TunedEstimator.of("dr", CUTS)
    assert np.isnan(estimator.value(np.zeros(3 + 3 * len(CUTS))))


def test_resamples_choose_for_themselves() -> None:
    rounds = World(level=0.3, logged_taste=3).log(400, seed=4)
    inside = TunedEstimator.of("ips", CUTS)
    evaluation = evaluate({"new": rounds}, [inside, once("ips", rounds)], n_resamples=300)
    assert evaluation.values[0, 0, 0] == pytest.approx(evaluation.values[0, 1, 0], rel=1e-12)
    differs = ~np.isclose(evaluation.resampled[0, 0, 0], evaluation.resampled[0, 1, 0])
    assert differs.mean() > 0.1
    assert evaluation.resampled[0, 0, 0].std() > evaluation.resampled[0, 1, 0].std()


@pytest.mark.slow
def test_an_interval_that_knows_of_the_choice_covers_better() -> None:
    world = World(level=0.3, logged_taste=3)
    held = np.zeros((300, 2), dtype=bool)
    inside = TunedEstimator.of("ips", CUTS)
    for seed in range(len(held)):
        rounds = world.log(500, seed)
        evaluation = evaluate({"new": rounds}, [inside, once("ips", rounds)], n_resamples=300, seed=seed)
        ends = [(row.lower, row.upper) for row in evaluation.policy_values() if row.segment is None]
        held[seed] = [lower <= world.truth <= upper for lower, upper in ends]
    share_inside, share_once = held.mean(axis=0)
    assert share_inside > share_once


def test_an_estimator_that_is_no_mean_is_refused() -> None:
    with pytest.raises(ValueError, match="snips is not a mean over rounds"):
        contributions([from_name("snips")], World().log(50, seed=0))


def test_nothing_to_choose_from_is_refused() -> None:
    with pytest.raises(ValueError, match="give at least one"):
        contributions([], World().log(50, seed=0))
    with pytest.raises(ValueError, match="give at least one"):
        TunedEstimator("ips", ())


@pytest.mark.parametrize("delta", [0.0, 0.5, -1.0, float("nan")])
def test_delta_is_a_tail(delta: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1/2"):
        Slope(delta=delta)


def test_usual_hyperparameters_are_those_of_the_reference() -> None:
    assert EXPECTED["IPWTuning/slope"]["lambdas"] == [str(number) for number in CUTS]
    assert EXPECTED["SubGaussianDRTuning/slope"]["lambdas"] == [str(number) for number in FRACTIONS]


@pytest.mark.parametrize("family", GRIDS)
def test_every_family_has_a_name_that_chooses(family: str, rounds: EvaluationRounds) -> None:
    estimator = TunedEstimator.from_name(f"{family.upper()}:Auto")
    assert estimator.name == f"{family}:auto"
    assert value(estimator, rounds) == pytest.approx(value(once(family, rounds, GRIDS[family]), rounds))


@pytest.mark.parametrize("name", ["snips:auto", "dr:10", "auto"])
def test_other_names_list_those_that_choose(name: str) -> None:
    with pytest.raises(ValueError, match=rf"no estimator is called '{name}'.*ips:auto, dr:auto"):
        TunedEstimator.from_name(name)
