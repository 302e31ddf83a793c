from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from features.codes import LATE, Window
from features.tasks.windows import assign_origins, assign_windows, fit_boundaries

START = datetime(2026, 1, 1, tzinfo=UTC)


def hourly(hours: int) -> pl.Series:
    return pl.Series([START + timedelta(hours=hour) for hour in range(hours)], dtype=pl.Datetime("us", "UTC"))


def test_windows_by_hand():
    times = hourly(48)
    boundaries = fit_boundaries(times, date(2026, 1, 2), timedelta(hours=4), 0.5, 0.25)
    # 44 rounds are older than 4 hours at midnight: 22 support, then 11 query, then 11 holdout.
    assert boundaries.support_until == START + timedelta(hours=22)
    assert boundaries.query_until == START + timedelta(hours=33)
    windows = assign_windows(times, boundaries).to_list()
    expected = [Window.SUPPORT] * 22 + [Window.GAP] * 4 + [Window.QUERY] * 7
    expected += [Window.GAP] * 4 + [Window.HOLDOUT] * 7 + [Window.OPEN] * 4
    assert windows == expected


def test_no_reward_window_reaches_into_the_next_window():
    times = hourly(100)
    gap = timedelta(hours=5)
    boundaries = fit_boundaries(times, date(2026, 1, 5), gap, 0.5, 0.25)
    frame = pl.DataFrame({"at": times, "window": assign_windows(times, boundaries)})
    ends = frame.group_by("window").agg(pl.col("at").max().alias("last"), pl.col("at").min().alias("first"))
    by_window = {row[0]: row[1:] for row in ends.iter_rows()}
    assert by_window[Window.SUPPORT][0] + gap <= by_window[Window.QUERY][1] + timedelta(hours=1)
    assert by_window[Window.QUERY][0] + gap <= by_window[Window.HOLDOUT][1] + timedelta(hours=1)


def test_a_night_without_known_rewards_is_refused():
    with pytest.raises(ValueError, match="no reward is known yet"):
        fit_boundaries(hourly(3), date(2026, 1, 1), timedelta(hours=30), 0.5, 0.25)


def test_origins_by_hand():
    times, gap = hourly(48), timedelta(hours=4)
    windows = assign_windows(times, fit_boundaries(times, date(2026, 1, 2), gap, 0.5, 0.25))
    origins = assign_origins(times, windows, gap).to_list()
    # Support has 22 rounds: the 12th opens origin 1, which judges from 4 hours later on.
    expected = [0] * 11 + [LATE] * 4 + [1] * 7
    expected += [LATE] * 4 + [2] * 7 + [LATE] * 4 + [3] * 7 + [LATE] * 4
    assert origins == expected


def test_a_log_without_support_has_no_first_origin():
    times = hourly(3)
    windows = pl.Series([Window.QUERY, Window.GAP, Window.HOLDOUT], dtype=pl.Int8)
    assert assign_origins(times, windows, timedelta(hours=1)).to_list() == [2, LATE, 3]
