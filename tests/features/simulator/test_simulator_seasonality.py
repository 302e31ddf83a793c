from datetime import date

import numpy as np

from features.simulator.seasonality import draw_seasonality
from features.simulator.settings import WorldSettings


def test_a_year_of_visits_is_an_average_year() -> None:
    season = draw_seasonality(WorldSettings(seed=3))
    visits = np.array([season.visits(day) for day in range(364)])
    assert abs(visits.mean() - 1) < 1e-12
    assert abs(season.level(np.arange(364)).mean()) < 1e-12
    assert visits.max() / visits.min() > 1.2


def test_the_weekday_is_the_calendars() -> None:
    monday, sunday = (
        draw_seasonality(WorldSettings(first_date=date(2026, 1, day), seasonality=1.0)) for day in (5, 11)
    )
    assert monday.first_weekday == 0
    assert sunday.visits(0) - monday.visits(0) > 0.1


def test_no_season_leaves_every_day_alike() -> None:
    season = draw_seasonality(WorldSettings(seasonality=0.0))
    assert {season.visits(day) for day in range(100)} == {1.0}
    assert not season.level(np.arange(100)).any()
