import pytest

from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.intervals.choice import WORDING, check_interval_name
from offline_rl.ope.intervals.coverage_labels import KEPT, STUDY, honest_label, lacks_what_matters


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
