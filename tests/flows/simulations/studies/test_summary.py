"""Tables from outcomes on paper: two test segments, logging 0 and oracle 1 in both."""

from dataclasses import replace

import numpy as np
import pytest

from flows.simulations.studies.learners import POOLED
from flows.simulations.studies.outcome import Outcome
from flows.simulations.studies.split_ledger import SplitUse
from flows.simulations.studies.summary import summarize, with_shipped
from flows.simulations.studies.table import markdown

SETTINGS = {"study": {"regions": 60, "users": 1, "items": 2, "days": 3}, "exploration": 0.1}


def outcome(learner: str, value: float, seed: int = 0, gain: float = 0.0, segments: int = 24) -> Outcome:
    return Outcome(
        world="nonlinear",
        seed=seed,
        learner=learner,
        config_sha256="c",
        segments=list(range(segments)),
        rounds=[10] * segments,
        logging=[1.0] * segments,
        oracle=[2.0] * segments,
        true=[1.0 + value] * segments,
        before_refit=[1.0 + value / 2] * segments,
        dr=[1.0 + value] * segments,
        gain_in_errors=[0.0] * segments,
        validation_gain=gain,
        likelihood_gain=None,
        lead=None,
        asks=gain > 0,
        adapts=True,
        notes=[],
        steps={},
        support={"0": 0.0, "all": value},
        ips=1.0,
        snips=1.0,
        ess=100.0,
        largest_weight=5.0,
        weight_in_errors=0.1,
        train_seconds=1.0,
        judge_seconds=1.0,
    )


def two_seeds(learner: str, *values: float, gain: float = 0.0) -> list[Outcome]:
    return [outcome(learner, value, seed, gain) for seed, value in enumerate(values)]


def test_shares_and_their_error_over_seeds() -> None:
    world = summarize(two_seeds(POOLED, 0.4, 0.6))["nonlinear"]
    row = world["learners"][POOLED]
    assert row["share"] == pytest.approx(0.5)
    assert row["standard_error"] == pytest.approx(0.1)
    assert row["share_before_refit"] == pytest.approx(0.25)
    assert row["standard_error_before_refit"] == pytest.approx(0.05)
    assert row["share_by_traffic"] == pytest.approx(0.5)


def test_traffic_weighs_segments_by_their_rounds() -> None:
    uneven = replace(
        outcome(POOLED, 0.0, segments=2),
        rounds=[30, 10],
        true=[2.0, 1.0],
        logging=[1.0, 1.0],
        oracle=[2.0, 2.0],
    )
    row = summarize([uneven])["nonlinear"]["learners"][POOLED]
    assert row["share"] == pytest.approx(0.5)
    assert row["share_by_traffic"] == pytest.approx(0.75)


def test_what_ships_is_the_surest_gain_and_else_the_pooled_model() -> None:
    members = [outcome(POOLED, 0.3), outcome("maml", 0.1, gain=0.2), outcome("reptile", 0.5, gain=0.1)]
    [shipped] = [one for one in with_shipped(members) if one.learner == "shipped"]
    assert shipped.share == pytest.approx(0.1)
    assert shipped.notes == ["maml"]
    unsure = [
        replace(one, validation_gain=-0.1, asks=False) if one.learner != POOLED else one for one in members
    ]
    [shipped] = [one for one in with_shipped(unsure) if one.learner == "shipped"]
    assert shipped.notes == [POOLED]


def test_a_claim_is_against_the_strongest_baseline_and_adjusted_for_all() -> None:
    members = [
        *two_seeds(POOLED, 0.40, 0.42),
        *two_seeds("random_effects", 0.50, 0.52),
        *two_seeds("bayesian_last_layer", 0.60, 0.62),
    ]
    world = summarize(members)["nonlinear"]
    assert (world["strongest_baseline"], world["best"]) == ("random_effects", "bayesian_last_layer")
    against = world["learners"]["bayesian_last_layer"]["against"]
    assert against["random_effects"]["mean"] == pytest.approx(10)
    assert against["random_effects"]["is_claimed"]
    assert against["random_effects"]["holm_p_value"] == pytest.approx(
        2 * against["random_effects"]["p_value"]
    )


@pytest.mark.parametrize(
    "flaw", [{"ess": 20.0}, {"weight_in_errors": 3.5}, {"weight_in_errors": -3.5}], ids=["few", "high", "low"]
)
def test_nothing_is_claimed_where_the_log_can_not_tell(flaw: dict[str, float]) -> None:
    flawed = [replace(one, **flaw) for one in two_seeds("maml", 0.9, 0.9)]  # type: ignore[arg-type]
    world = summarize([*two_seeds(POOLED, 0.4, 0.4), *flawed])["nonlinear"]
    assert not world["learners"]["maml"]["against"][POOLED]["is_claimed"]


def test_nothing_is_claimed_from_few_segments() -> None:
    members = [outcome(POOLED, 0.4, segments=19), outcome("maml", 0.9, segments=19)]
    assert not summarize(members)["nonlinear"]["learners"]["maml"]["against"][POOLED]["is_claimed"]


def test_harm_is_counted_by_truth_and_by_estimate() -> None:
    worse = replace(
        outcome("maml", 0.0, segments=4),
        true=[1.5, 1.5, 1.395, 1.2],
        gain_in_errors=[0.0, 1.0, -1.0, -3.0],
    )
    row = summarize([outcome(POOLED, 0.4, segments=4), worse])["nonlinear"]["learners"]["maml"]
    assert row["truly_worse"] == 0.25
    assert row["clearly_worse"] == 0.25
    assert row["worst_decile_lift"] == pytest.approx(0.2)


def test_goals_that_are_not_met_say_so() -> None:
    members = [
        *two_seeds(POOLED, 0.40, 0.42),
        *two_seeds("random_effects", 0.50, 0.52, gain=0.1),
        *two_seeds("mixed_effects", 0.54, 0.57),
    ]
    table = markdown(summarize(members), [], SETTINGS, "c" * 64)
    assert "**not met:** nonlinear: what ships is within one standard error" in table
    assert "+4.5 points behind mixed_effects, standard error 0.5" in table
    assert "**not met:** nonlinear: mixed_effects at least 8 points" in table
    assert "+4.5 points" in table
    assert not np.isnan(summarize(members)["nonlinear"]["learners"]["shipped"]["share"])


def test_second_uses_by_the_same_configurations_share_a_line() -> None:
    first = [SplitUse("nonlinear", 0, name, "split", "a" * 64) for name in ("maml", "reptile", POOLED)]
    ledger = [*first, *(replace(entry, config_sha256="c" * 64) for entry in first[:2]), first[2]]
    table = markdown(summarize([outcome(POOLED, 0.4)]), ledger, SETTINGS, "c" * 64)
    assert "2 by this configuration, in 1 studies. 3 of all in the ledger" in table
    assert f"- maml in nonlinear 0 and 1 more, each: 2 uses, by {'a' * 12}, {'c' * 12}\n" in table
    assert f"- {POOLED} in nonlinear 0: 2 uses, by {'a' * 12}, {'a' * 12}\n" in table


def test_a_gain_in_likelihood_ships_before_a_larger_one_in_value() -> None:
    members = [
        outcome(POOLED, 0.5),
        replace(outcome("maml", 0.6, gain=-0.1), likelihood_gain=0.001, asks=True),
        outcome("reinforce", 0.4, gain=0.3),
    ]

    assert with_shipped(members)[-1].notes == ["maml"]


def test_what_is_fitted_in_one_go_ships_before_any_that_takes_steps() -> None:
    members = [
        outcome(POOLED, 0.5),
        replace(outcome("maml", 0.6), likelihood_gain=9.0, asks=True),
        replace(outcome("crosses_logit", 0.4), lead=1.2, asks=True),
        replace(outcome("mixed_effects", 0.4), lead=2.0, asks=True),
    ]

    assert with_shipped(members)[-1].notes == ["mixed_effects"]


def test_rows_that_equal_another_say_so_and_why() -> None:
    members = [
        *two_seeds(POOLED, 0.40, 0.42),
        *two_seeds("maml", 0.40, 0.42),
        *two_seeds("reptile", 0.40, 0.43),
    ]
    table = markdown(summarize(members), [], SETTINGS, "c" * 64)
    assert f"- maml is {POOLED} in nonlinear" in table
    assert "reptile is" not in table
    assert "validation kept no step of a learner" in table


def test_who_was_evaluated_on_fewer_seeds_is_compared_on_these_alone() -> None:
    members = [*two_seeds(POOLED, 0.4, 0.6), outcome("random_effects", 0.9, seed=1)]
    summary = summarize(members)
    assert summary["nonlinear"]["best"] == POOLED
    table = markdown(summary, [], SETTINGS, "c" * 64)
    assert "seeds 0, 1," in table
    whole, alone = table.split("## Evaluated on seed 1 alone")
    assert "random_effects |" not in whole
    assert "| pooled_reward_model | 0.600 |" in alone
    assert "| random_effects | 0.900 |" in alone
