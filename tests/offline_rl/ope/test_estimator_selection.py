from dataclasses import replace

import numpy as np
import pytest

from offline_rl.ope.estimator_selection import PASIF, split_shares
from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.records import EvaluationRounds, Floats
from tests.offline_rl.ope.worlds import World, coin_log

CANDIDATE_NAMES = ("ips", "snips", "dm", "dr", "ips:5", "sndr", "switch_dr:3")
CANDIDATES = tuple(from_name(name) for name in CANDIDATE_NAMES)
MILD, HEAVY = World(level=0.4), World(level=0.3, logged_taste=3.0)


def log(world: World, n: int, seed: int, bias: float) -> EvaluationRounds:
    """A log whose reward model is exact but for a constant."""
    q_hat = world.reward_probability + bias
    rounds = world.log(n, seed)
    # The first two draws of the world's generator are its visitors and actions.
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, n)
    a = (rng.random((n, 1)) > world.logging[x].cumsum(axis=1)[:, :-1]).sum(axis=1)
    assert (rounds.propensity == world.logging[x, a]).all()
    return replace(rounds, q_logged=q_hat[x, a], q_policy=(world.evaluated * q_hat).sum(axis=1)[x])


def squared_errors(world: World, n: int, bias: float, logs: int = 300) -> dict[str, float]:
    """True mean squared error of each candidate."""

    def value(estimator: Estimator, rounds: EvaluationRounds) -> float:
        return float(estimator.value(estimator.terms(rounds).sum(axis=0)))

    drawn = [log(world, n, 10_000 + seed, bias) for seed in range(logs)]
    return {
        e.name: float(np.mean([(value(e, rounds) - world.truth) ** 2 for rounds in drawn]))
        for e in CANDIDATES
    }


def regret(names: list[str], errors: dict[str, float]) -> float:
    """Mean squared error of the choices less that of the best candidate, over the error of SNIPS."""
    return float(np.mean([errors[name] for name in names]) - min(errors.values())) / errors["snips"]


def chosen(world: World, n: int, bias: float, logs: int = 50) -> list[str]:
    return [PASIF(CANDIDATES, seed).select(log(world, n, seed, bias)).chosen for seed in range(logs)]


@pytest.mark.parametrize("world", [MILD, HEAVY], ids=["mild", "heavy"])
def test_an_exact_model_is_preferred_to_weights_alone(world: World) -> None:
    names, errors = chosen(world, 1000, bias=0.0), squared_errors(world, 1000, bias=0.0)
    modeled = [name for name in names if name in ("dm", "dr", "sndr", "switch_dr:3")]
    assert len(modeled) >= 45 and names.count("ips") <= 2
    # The best candidate is never wrong here, so that all of the error is regret.
    error = np.mean([errors[name] for name in names])
    assert error < 0.15 * errors["ips"]
    assert error < 0.3 * errors["snips"]


@pytest.mark.parametrize(("world", "n"), [(MILD, 1000), (MILD, 4000), (HEAVY, 4000)])
def test_a_bad_model_is_not_believed(world: World, n: int) -> None:
    names, errors = chosen(world, n, bias=0.2), squared_errors(world, n, bias=0.2)
    assert errors["dm"] > 10 * errors["snips"]
    assert "dm" not in names
    assert regret(names, errors) < 0.5


@pytest.mark.parametrize("bias", [0.01, 0.02, 0.04, 0.08])
@pytest.mark.parametrize("world", [MILD, HEAVY], ids=["mild", "heavy"])
def test_a_bias_that_hides_in_the_noise_costs_less_than_the_noise(world: World, bias: float) -> None:
    assert regret(chosen(world, 1000, bias), squared_errors(world, 1000, bias)) < 1


def test_estimated_errors_are_those_of_the_estimators_or_above() -> None:
    selections = [PASIF(CANDIDATES, seed, 5).select(log(MILD, 1000, seed, 0.1)) for seed in range(200)]
    estimated = np.mean([selection.squared_errors for selection in selections], axis=0)
    true = squared_errors(MILD, 1000, bias=0.1)
    for name, error in zip(CANDIDATE_NAMES, estimated, strict=True):
        # The rest is a tenth shorter and its weights are a little larger, which is worst for a clip.
        assert 0.8 * true[name] < error < (2.0 if name == "ips:5" else 1.6) * true[name]


def test_the_choice_is_stated_before_the_log_is_opened() -> None:
    plan = PASIF(CANDIDATES[:2], seed=3, n_splits=10, evaluation_share=0.25)
    said = "Chosen among ips, snips by PAS-IF with 10 splits, evaluation share 0.25 and seed 3."
    assert plan.stated == said
    selection = plan.select(log(MILD, 500, 0, 0.0))
    assert selection.stated == said
    assert selection.candidates == ("ips", "snips")
    assert selection.chosen in selection.candidates


def test_a_stated_procedure_chooses_the_same_again() -> None:
    rounds = log(MILD, 500, 1, 0.05)
    plan = PASIF(CANDIDATES, seed=3)
    assert plan.select(rounds) == plan.select(rounds)
    assert plan.select(rounds).squared_errors != PASIF(CANDIDATES, seed=4).select(rounds).squared_errors


@pytest.mark.parametrize("spread", [0.0, 0.5, 2.0])
def test_shares_make_the_asked_part_and_follow_the_weights(spread: float) -> None:
    weight = np.random.default_rng(0).lognormal(0, spread, 2000)
    shares = split_shares(weight, 0.2)
    assert shares.mean() == pytest.approx(0.2)
    assert shares.max() <= 0.5
    below = shares < 0.5
    assert np.allclose((shares / weight)[below], (shares / weight)[below][0])
    assert (weight[~below] >= weight[below].max()).all()


def test_where_few_rounds_have_weight_half_of_them_go() -> None:
    weight = np.r_[np.zeros(90), np.arange(1.0, 11.0)]
    assert split_shares(weight, 0.2).tolist() == [0.0] * 90 + [0.5] * 10


def test_both_parts_tell_the_value_of_the_policy() -> None:
    # The policy earns 0.9. Weights of the rest that were off by the tenth that went to the evaluation part
    # would be wrong by 0.09, and squared by 0.008.
    plan = PASIF((from_name("snips"), from_name("ips")), seed=0, n_splits=100)
    assert max(map(abs, plan.select(coin_log(4000, 0.9)).squared_errors)) < 5e-4


def test_columns_that_the_split_changes_unknowably_are_not_used() -> None:
    rounds = replace(log(MILD, 500, 0, 0.0), marginal_weight=np.ones(500))
    with pytest.raises(ValueError, match="marginal_weight"):
        PASIF((from_name("snips"), from_name("mips")), seed=0).select(rounds)


def test_the_density_ratio_is_split_like_the_weight() -> None:
    rounds = log(MILD, 500, 0, 0.0)
    rounds = replace(rounds, density_ratio=rounds.weight)
    errors = PASIF((from_name("snips"), from_name("balanced")), seed=0).select(rounds).squared_errors
    assert errors[0] == pytest.approx(errors[1])


@pytest.mark.parametrize(
    ("names", "columns", "message"),
    [
        (["snips"], {}, "nothing to choose among snips"),
        (["snips", "snips"], {}, "nothing to choose among snips, snips"),
        (["snips", "dr"], {"n_splits": 0}, "0 splits"),
        (["snips", "dr"], {"evaluation_share": 0.5}, "evaluation share of 0.5"),
    ],
)
def test_what_is_no_choice_is_refused(names: list[str], columns: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PASIF(tuple(from_name(name) for name in names), seed=0, **columns)


@pytest.mark.parametrize("prob", [np.zeros(500), np.r_[np.full(8, 0.5), np.zeros(492)]])
def test_a_log_without_overlap_is_refused(prob: Floats) -> None:
    apart = replace(log(MILD, 500, 0, 0.0), evaluation_prob=prob)
    with pytest.raises(ValueError, match="of 500 rounds would form the evaluation part"):
        PASIF(CANDIDATES, seed=0).select(apart)
