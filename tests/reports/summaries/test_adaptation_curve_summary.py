import pytest

from reports.summaries.adaptation_curves import STEPS, SUPPORT, adaptation_curves
from tests.reports.sample_rows import table


def rows(values: dict[int | None, float], curve: str = SUPPORT) -> list[dict]:
    shared = {"run_id": "r", "domain": "recommendation", "learner": "maml", "curve": curve}
    return [shared | {"amount": amount, "value": value} for amount, value in values.items()]


def test_all_rounds_come_last() -> None:
    frame = table("out_adaptation_curves", rows({None: 0.4, 100: 0.3, 25: 0.2, 0: 0.1}))

    (curve,) = adaptation_curves(frame, "recommendation", SUPPORT)

    assert [point.amount for point in curve.points] == [0, 25, 100, None]
    assert curve.gain == pytest.approx(0.3)
    assert not curve.is_simulated


@pytest.mark.parametrize(
    ("values", "enough"),
    [
        ({0: 0.1, 25: 0.2, 50: 0.4, 100: 0.5, None: 0.5}, [50]),
        ({0: 0.1, 25: 0.5, 50: 0.2, 100: 0.35, None: 0.5}, [100]),  # 25 rounds were luck
        ({0: 0.1, 25: 0.1, 50: 0.2, 100: 0.2, None: 0.5}, [None]),
        ({0: 0.1, 25: 0.9, 50: 0.9, 100: 0.9, None: 0.1}, []),
    ],
)
def test_half_of_the_gain_must_hold_from_there_on(
    values: dict[int | None, float], enough: list[int | None]
) -> None:
    (curve,) = adaptation_curves(table("out_adaptation_curves", rows(values)), "recommendation", SUPPORT)

    assert [point.amount for point in [curve.half_gain_from] if point] == enough


def test_curves_of_steps_and_of_other_domains_are_others() -> None:
    frame = table("out_adaptation_curves", rows({0: 0.1, None: 0.2}) + rows({0: 0.1, 3: 0.3}, STEPS))

    assert [len(c.points) for c in adaptation_curves(frame, "recommendation", STEPS)] == [2]
    assert adaptation_curves(frame, "advertising", SUPPORT) == ()
