from dataclasses import replace

import pytest

from features.contracts.findings import Finding, finding
from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.intervals.choice import INTERVAL_NAMES, IntervalName, check_interval_name
from offline_rl.ope.intervals.coverage_labels import (
    KEPT,
    MONEY_STUDY,
    MONEY_STUDY_NEAR,
    STUDY,
    heavy_label,
    honest_label,
    lacks_what_matters,
)
from offline_rl.ope.trust.contribution_tail import ContributionTail


@pytest.mark.parametrize("name", INTERVAL_NAMES)
def test_every_interval_is_in_the_study_from_none_to_all_effective_rounds(name: str) -> None:
    bounds = [row.below for row in STUDY[name]]
    assert bounds == sorted(set(bounds))
    assert bounds[-1] == float("inf")
    assert all(0 < row.least <= KEPT[0] < KEPT[1] <= row.most for row in STUDY[name])


def test_labels_change_where_the_study_does() -> None:
    assert honest_label("percentile", "new", 99.9) == at_size("covers_less", 0.90, 25, 100)
    assert honest_label("percentile", "new", 100) is None
    assert honest_label("studentized", "new", 50) == at_size("covers_more", 0.99, 25, 100)
    assert honest_label("bca", "new", 0.0) == at_size("covers_less", 0.62, 0.0, 15)


def at_size(code: str, covered: float, least: float, under: float) -> Finding:
    return finding(code, "new", covered=covered, least=least, under=under)


def test_an_effective_sample_that_is_no_number_is_none() -> None:
    assert honest_label("bca", "new", float("nan")) == honest_label("bca", "new", 0.0)


def test_a_mean_weight_that_cannot_be_outweighs_a_large_effective_sample() -> None:
    nothing = finding("covers_less_at_odd_weights", "new", covered=0.0)
    assert honest_label("bca", "new", 1e6, lacking=True) == nothing
    assert honest_label("bca", "new", 3, lacking=True) == honest_label("bca", "new", 3)


@pytest.mark.parametrize(
    ("lower", "upper", "supported", "lacking"),
    [(0.9, 1.1, 1.0, False), (0.2, 0.5, 1.0, True), (1.2, 1.5, 1.0, True), (0.2, 0.5, 0.3, False)],
)
def test_the_mean_weight_is_held_against_the_supported_share(
    lower: float, upper: float, supported: float, lacking: bool
) -> None:
    assert lacks_what_matters(Interval(lower, upper), supported) is lacking


def test_unknown_names_are_answered_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'normal'\. Known are percentile, bca, studentized, student_t"):
        check_interval_name("normal")


def tail(index: float, **changed: float) -> ContributionTail:
    """Of 130 baskets, 26 of them in the tail: its limit is 0.5 ± 0.1."""
    even = ContributionTail(
        of="weighted rewards",
        n=130,
        largest=900.0,
        largest_share=0.05,
        effective=60.0,
        index=index,
        n_tail=25,
        pareto_k=0.5,
        amount_share=0.05,
        amount_effective=70.0,
        amount_index=index,
        amount_pareto_k=0.5,
    )
    return replace(even, **changed)


@pytest.mark.parametrize("name", INTERVAL_NAMES)
def test_money_is_labelled_by_how_far_its_index_is_above_the_limit(name: IntervalName) -> None:
    least, near = MONEY_STUDY[name], MONEY_STUDY_NEAR[name]
    assert heavy_label(name, "new", None) is heavy_label(name, "new", tail(0.64)) is None
    of_near = finding("covers_less_near_heavy_tail", "new", covered=near)
    assert heavy_label(name, "new", tail(0.66)) == of_near
    assert heavy_label(name, "new", tail(0.71)) == finding("covers_less_at_heavy_tail", "new", covered=least)


def test_money_that_one_order_makes_is_labelled_whatever_its_index() -> None:
    heavy = finding("covers_less_at_heavy_tail", "new", covered=MONEY_STUDY["bca"])
    assert heavy_label("bca", "new", tail(0.3, largest_share=0.9, amount_share=0.9)) == heavy
    assert heavy_label("bca", "new", tail(0.3, effective=5.0, amount_effective=5.0)) == heavy
    # Weights alone make these uneven.
    assert heavy_label("bca", "new", tail(0.3, largest_share=0.9, effective=1.2)) is None
    # A tail that the generalized Pareto fit finds exponential is a price list with gaps.
    assert heavy_label("bca", "new", tail(0.9, pareto_k=0.1)) is None
