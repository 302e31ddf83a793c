"""Who visits the simulated shop: coarse facts that the logs tell, and a taste that they don't."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.simulator.catalog import CATEGORIES
from features.simulator.identifiers import Identifiers
from features.simulator.settings import WorldSettings
from features.simulator.streams import Stream, generator

REGIONS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
DEVICES = ("mobile", "desktop", "tablet")
SEGMENTS = tuple(f"{region}-{device}" for region in REGIONS for device in DEVICES)

# Unequal on purpose: the smallest segment has half a percent of the users, too few to learn from alone.
REGION_SHARES = (0.22, 0.18, 0.15, 0.13, 0.11, 0.09, 0.07, 0.05)
_DEVICE_SHARES = (0.55, 0.35, 0.1)
_TASTE_SPREAD = 0.2
_ACTIVITY_SPREAD = 0.6
_OLDEST_SIGNUP_DAYS = 720


@dataclass(frozen=True)
class People:
    """Users in the order of `ids`; U users, C categories.

    region, device: int64[U], positions in REGIONS and DEVICES.
    visit_rate: float64[U], mean visits per day; differs between users, its expectation is the setting's.
    taste: float64[U, C], what the user adds to the log-odds of liking an item of the category. Hidden.
    signup_at: one per user, UTC, before the first night.
    """

    ids: Identifiers
    region: NDArray[np.int64]
    device: NDArray[np.int64]
    visit_rate: NDArray[np.float64]
    taste: NDArray[np.float64]
    signup_at: tuple[datetime, ...]

    @property
    def segment(self) -> NDArray[np.int64]:
        """int64[U], position of the user's region x device in SEGMENTS."""
        return self.region * len(DEVICES) + self.device

    def frame(self) -> pl.DataFrame:
        """The users log."""
        everyone = len(self.ids)
        return pl.DataFrame(
            {
                "user_id": self.ids.ids,
                "region": np.array(REGIONS)[self.region],
                "device": np.array(DEVICES)[self.device],
                "signup_at": self.signup_at,
                "attributes": pl.Series([None] * everyone, dtype=pl.String),
            }
        )


def draw_people(settings: WorldSettings) -> People:
    """Make the users of these settings."""
    random = generator(settings.seed, Stream.PEOPLE)
    n = settings.users
    # exp of a normal, less half its variance, has expectation 1
    activity = np.exp(random.normal(0.0, _ACTIVITY_SPREAD, n) - _ACTIVITY_SPREAD**2 / 2)
    opening = datetime.combine(settings.first_date, time(tzinfo=UTC))
    ages = random.integers(1, _OLDEST_SIGNUP_DAYS * 24 * 60, n)
    return People(
        ids=Identifiers("user", tuple(f"user-{number:06d}" for number in range(1, n + 1))),
        region=random.choice(len(REGIONS), n, p=REGION_SHARES),
        device=random.choice(len(DEVICES), n, p=_DEVICE_SHARES),
        visit_rate=settings.visits_per_user_day * activity,
        taste=random.normal(0.0, _TASTE_SPREAD, (n, len(CATEGORIES))),
        signup_at=tuple(opening - timedelta(minutes=int(age)) for age in ages),
    )
