import pytest

from features.contracts.findings import Finding
from reports.summaries.policy_values import PolicyValue, leading_estimators


def value(estimator: str, *, truth: float | None = None) -> PolicyValue:
    return PolicyValue(
        "recommendation",
        "all",
        "maml",
        estimator,
        0.5,
        0.4,
        0.6,
        100,
        10,
        25.0,
        1.0,
        4.0,
        1.0,
        (Finding("student_t", "maml", {"clusters": "users"}),),
        truth,
    )


@pytest.mark.parametrize(
    ("present", "chosen"),
    [
        (["ips", "snips", "dm", "dr"], ("dr", "snips")),
        (["dr:10", "snips"], ("dr:10", "snips")),
        (["snips"], ("snips",)),
        (["dm"], ("dm",)),
        ([], ()),
    ],
)
def test_doubly_robust_leads_and_snips_checks(present: list[str], chosen: tuple[str, ...]) -> None:
    assert leading_estimators([value(name) for name in present]) == chosen


@pytest.mark.parametrize(("truth", "covered"), [(0.4, True), (0.61, False), (None, None)])
def test_an_interval_covers_the_truth_that_lies_inside_it(truth: float | None, covered: bool | None) -> None:
    assert value("dr", truth=truth).covers_truth is covered


def test_effective_sample_size_is_a_share_of_the_rounds() -> None:
    assert value("dr").ess_share == 0.25
