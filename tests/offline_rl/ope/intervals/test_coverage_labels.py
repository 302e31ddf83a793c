from dataclasses import replace

import pytest

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.intervals.choice import WORDING, IntervalName, check_interval_name
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


@pytest.mark.parametrize("name", WORDING)
def test_every_interval_is_in_the_study_from_none_to_all_effective_rounds(name: str) -> None:
    bounds = [row.below for row in STUDY[name]]
    assert bounds == sorted(set(bounds))
    assert bounds[-1] == float("inf")
    assert all(0 < row.least <= KEPT[0] < KEPT[1] <= row.most for row in STUDY[name])


def test_labels_change_where_the_study_does() -> None:
    assert honest_label("percentile", 99.9).endswith("as little as 90% at an effective sample of 25 to 100")
    assert honest_label("percentile", 100) == ""
    assert honest_label("studentized", 50).endswith("as much as 99% at an effective sample of 25 to 100")
    assert honest_label("bca", 0.0).endswith("as little as 62% at an effective sample of less than 15")


def test_an_effective_sample_that_is_no_number_is_none() -> None:
    assert honest_label("bca", float("nan")) == honest_label("bca", 0.0)


def test_a_mean_weight_that_cannot_be_outweighs_a_large_effective_sample() -> None:
    assert "as little as 0%" in honest_label("bca", 1e6, lacking=True)
    assert honest_label("bca", 3, lacking=True) == honest_label("bca", 3)


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


@pytest.mark.parametrize("name", WORDING)
def test_money_is_labelled_by_how_far_its_index_is_above_the_limit(name: IntervalName) -> None:
    least, near = MONEY_STUDY[name], MONEY_STUDY_NEAR[name]
    assert heavy_label(name, None) == heavy_label(name, tail(0.64)) == ""
    assert heavy_label(name, tail(0.66)).endswith(
        f"{near:.0%} with rewards of a tail that is nearly as heavy"
    )
    assert heavy_label(name, tail(0.71)).endswith(f"{least:.0%} with rewards of such a tail")


def test_money_that_one_order_makes_is_labelled_whatever_its_index() -> None:
    assert heavy_label("bca", tail(0.3, largest_share=0.9, amount_share=0.9)).endswith("of such a tail")
    assert heavy_label("bca", tail(0.3, effective=5.0, amount_effective=5.0)).endswith("of such a tail")
    # Weights alone make these uneven.
    assert heavy_label("bca", tail(0.3, largest_share=0.9, effective=1.2)) == ""
    # A tail that the generalized Pareto fit finds exponential is a price list with gaps.
    assert heavy_label("bca", tail(0.9, pareto_k=0.1)) == ""
