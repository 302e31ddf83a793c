"""Windows by time, and what is found where a log has none."""

import numpy as np
import pytest

from features.contracts.findings import Finding
from offline_rl.interactions import DAY, Interactions
from offline_rl.ranking.time_windows import TimeWindows, no_validation, time_windows, users_of
from reports.wording.sentences import say
from tests.offline_rl.ranking.worlds import clustered_shop, log


def test_windows_end_with_the_log() -> None:
    acts = clustered_shop()
    end = int(acts.moment.max()) + 1

    windows = time_windows(acts, validation_days=7, test_days=10)

    assert windows == TimeWindows(end - 17 * DAY, end - 10 * DAY, end)


def test_windows_end_where_the_night_says() -> None:
    windows = time_windows(clustered_shop(), validation_days=7, test_days=10, until=40 * DAY)

    assert windows == TimeWindows(23 * DAY, 30 * DAY, 40 * DAY)


@pytest.mark.parametrize("n_moments", [1, 2])
def test_acts_at_one_or_two_moments_are_a_finding(n_moments: int) -> None:
    acts = log(*((user, 0, user % n_moments) for user in range(500)))

    found = time_windows(acts, validation_days=1, test_days=1)

    assert isinstance(found, Finding)
    assert (found.code, found.because[0].code) == ("no_test_window", "few_moments")
    assert found.because[0].numbers == {"n_moments": n_moments, "least": 3}
    assert f"all acts lie at {n_moments} different times, where 3 are needed" in say([found])


def test_a_log_without_acts_is_a_finding() -> None:
    none = np.zeros(0, dtype=np.int64)

    found = time_windows(Interactions(none, none, np.zeros(0), none, 3, 3), validation_days=1, test_days=1)

    assert isinstance(found, Finding) and found.because[0].numbers["n_moments"] == 0


def test_too_few_users_in_the_test_window_are_a_finding_with_their_number() -> None:
    acts = log(*((user, 0, user / 100) for user in range(300)))

    found = time_windows(acts, validation_days=0.5, test_days=0.5)

    assert isinstance(found, Finding) and found.code == "no_test_window"
    assert found.because[0].numbers == {"n_clusters": 50, "least": 100, "clusters": "users"}
    assert isinstance(time_windows(acts, validation_days=0.5, test_days=1.5), TimeWindows)


def test_viewers_are_not_users_who_bought() -> None:
    acts = clustered_shop()
    views = Interactions(
        acts.user,
        acts.item,
        acts.weight,
        acts.moment,
        acts.n_users,
        acts.n_items,
        np.zeros(acts.n, dtype=bool),
    )

    found = time_windows(views, validation_days=5, test_days=5)

    assert isinstance(found, Finding) and found.because[0].numbers["n_clusters"] == 0


def test_windows_that_leave_nothing_to_learn_from_are_a_finding() -> None:
    found = time_windows(clustered_shop(), validation_days=30, test_days=30)

    assert isinstance(found, Finding)
    assert (found.code, found.subject, found.number("days")) == ("no_learning_window", "learning", 60)
    assert found.because[0].numbers["n_clusters"] == 0


def test_too_few_users_to_choose_by_are_a_finding() -> None:
    acts = clustered_shop()
    windows = TimeWindows(20 * DAY, 20 * DAY + DAY // 4, 40 * DAY)

    found = no_validation(acts, windows)

    assert found is not None and found.code == "no_validation_window"
    assert found.number("days") == 0.25
    assert found.because[0].numbers["n_clusters"] == len(users_of(acts, 20 * DAY, 20 * DAY + DAY // 4)) < 100
    assert no_validation(acts, TimeWindows(10 * DAY, 30 * DAY, 40 * DAY)) is None


@pytest.mark.parametrize("days", [(0, 1), (1, 0), (-1, 1)])
def test_a_window_without_length_is_refused(days: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="give numbers above 0"):
        time_windows(clustered_shop(), validation_days=days[0], test_days=days[1])


def test_windows_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="each after the one before"):
        TimeWindows(5, 5, 9)
