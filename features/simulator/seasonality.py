"""The effects of the calendar on the shop: weekdays, and a slow wave through the quarter.

    visits(day) = 1 + strength (weekday(day) + 0.12 sin(2π day / 91 + phase))
    level(day) = strength (weekday level(day) + 0.1 sin(2π day / 91 + phase'))

The level is added to the log-odds of every click, so a mean over one month says little about the next.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.simulator.settings import WorldSettings
from features.simulator.streams import Stream, generator

# Monday first; each has mean 0 over the week
_WEEKDAY_VISITS = np.array([-0.05, -0.08, -0.07, -0.03, 0.02, 0.12, 0.09])
_WEEKDAY_LEVEL = np.array([-0.03, -0.02, -0.02, 0.0, 0.01, 0.03, 0.03])
_WAVE_DAYS = 91
_WAVE_VISITS = 0.12
_WAVE_LEVEL = 0.1


@dataclass(frozen=True)
class Seasonality:
    """The season of a shop.

    first_weekday: of day 0, Monday is 0. phases: of the waves in visits and in clicks, radians.
    """

    strength: float
    first_weekday: int
    phases: tuple[float, float]

    def visits(self, day: int) -> float:
        """Return the ratio of the day's visits to those of an average day."""
        wave = _WAVE_VISITS * np.sin(2 * np.pi * day / _WAVE_DAYS + self.phases[0])
        return float(1 + self.strength * (_WEEKDAY_VISITS[(self.first_weekday + day) % 7] + wave))

    def level(self, day: ArrayLike) -> NDArray[np.float64]:
        """Return the term of each day in the log-odds of every click, float64 in the shape of `day`."""
        days = np.asarray(day, dtype=np.int64)
        wave = _WAVE_LEVEL * np.sin(2 * np.pi * days / _WAVE_DAYS + self.phases[1])
        return np.asarray(self.strength * (_WEEKDAY_LEVEL[(self.first_weekday + days) % 7] + wave))


def draw_seasonality(settings: WorldSettings) -> Seasonality:
    """Make the season of these settings."""
    random = generator(settings.seed, Stream.SEASON)
    visits, level = random.uniform(0, 2 * np.pi, 2)
    return Seasonality(settings.seasonality, settings.first_date.weekday(), (float(visits), float(level)))
