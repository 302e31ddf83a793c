"""The users of the simulated shop: coarse facts that are in the logs, and a hidden taste."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.simulator.attributes import Attributes, draw_attributes
from features.simulator.catalog import CATEGORIES
from features.simulator.identifiers import Identifiers
from features.simulator.newcomers import first_days
from features.simulator.settings import WorldSettings
from features.simulator.streams import Stream, generator

REGIONS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
DEVICES = ("mobile", "desktop", "tablet")

# Unequal on purpose: the smallest segment has half a percent of the users, too few to learn from alone.
REGION_SHARES = (0.22, 0.18, 0.15, 0.13, 0.11, 0.09, 0.07, 0.05)
_DEVICE_SHARES = (0.55, 0.35, 0.1)
_TASTE_SPREAD = 0.2
_ACTIVITY_SPREAD = 0.6
_OLDEST_SIGNUP_DAYS = 720
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class People:
    """Users in the order of `ids`; U users, C categories.

    regions: the names of the regions.
    region, device: int64[U], positions in `regions` and DEVICES.
    visit_rate: float64[U], mean visits per day; differs between users, its expectation is the setting's.
    taste: float64[U, C], the user's part of the log-odds for items of the category. Hidden.
    attributes: the other attributes in the users log.
    first_day: int64[U], the first day on which the user may visit, counted from 0; never falling.
    signup_minute: int64[U], minutes from the start of the first day, on the day before the first visit or
        earlier: negative for users who signed up before.
    """

    ids: Identifiers
    regions: tuple[str, ...]
    region: NDArray[np.int64]
    device: NDArray[np.int64]
    visit_rate: NDArray[np.float64]
    taste: NDArray[np.float64]
    attributes: Attributes
    first_day: NDArray[np.int64]
    signup_minute: NDArray[np.int64]

    @property
    def segment(self) -> NDArray[np.int64]:
        """int64[U], position of the user's region x device in `segments`."""
        return self.region * len(DEVICES) + self.device

    @property
    def segments(self) -> tuple[str, ...]:
        """The names of the segments, G, region by region."""
        return tuple(f"{region}-{device}" for region in self.regions for device in DEVICES)

    @property
    def context(self) -> NDArray[np.float32]:
        """float32[U, d], all of the users log: region, device and age band as indicators, and numbers."""
        return np.hstack(
            [
                np.eye(len(self.regions), dtype=np.float32)[self.region],
                np.eye(len(DEVICES), dtype=np.float32)[self.device],
                self.attributes.levels.astype(np.float32),
            ]
        )

    def active(self, day: int) -> int:
        """Return the number of users who may visit on the day, the first ones in their order."""
        return int(np.searchsorted(self.first_day, day, side="right"))

    def frame(self, first_date: date, days: int) -> pl.DataFrame:
        """Return the users log: all users who have signed up by the end of the last of `days` days."""
        known = self.active(days)  # who may visit on the day after the last has signed up by then
        day_start = np.datetime64(datetime.combine(first_date, time()), "us")
        signup_at = day_start + self.signup_minute[:known].astype("timedelta64[m]")
        return pl.DataFrame(
            {
                "user_id": self.ids.ids[:known],
                "region": np.array(self.regions)[self.region[:known]],
                "device": np.array(DEVICES)[self.device[:known]],
                "signup_at": pl.Series(signup_at.astype("datetime64[us]")).dt.replace_time_zone(str(UTC)),
                "attributes": self.attributes.json()[:known],
            }
        )


def region_names(regions: int) -> tuple[str, ...]:
    """Return the names of this many regions: the eight, then the eight again with a number.

    >>> region_names(10)[7:]
    ('northwest', 'north2', 'northeast2')
    """
    rounds, places = divmod(np.arange(regions), len(REGIONS))
    return tuple(
        f"{REGIONS[place]}{turn + 1 if turn else ''}" for turn, place in zip(rounds, places, strict=True)
    )


def region_shares(regions: int) -> NDArray[np.float64]:
    """Return the share of the users in each of this many regions, falling from the first to the last.

    For any number of regions, the largest has about four times the users of the smallest.

    >>> region_shares(4).round(3)
    array([0.431, 0.281, 0.19 , 0.098])
    """
    along = np.linspace(0, len(REGION_SHARES) - 1, regions)
    shares = np.interp(along, np.arange(len(REGION_SHARES)), REGION_SHARES)
    return np.asarray(shares / shares.sum())


def draw_people(settings: WorldSettings) -> People:
    """Make the users of these settings."""
    random = generator(settings.seed, Stream.PEOPLE)
    n = settings.users
    # exp of a normal, less half its variance, has expectation 1
    activity = np.exp(random.normal(0.0, _ACTIVITY_SPREAD, n) - _ACTIVITY_SPREAD**2 / 2)
    ages = random.integers(1, _OLDEST_SIGNUP_DAYS * _DAY_MINUTES, n)
    first_day = first_days(n, int(settings.new_user_share * n))
    # a newcomer signs up at some minute of the day before the first possible visit
    signup_minute = np.where(first_day == 0, -ages, (first_day - 1) * _DAY_MINUTES + ages % _DAY_MINUTES)
    return People(
        ids=Identifiers("user", tuple(f"user-{number:06d}" for number in range(1, n + 1))),
        regions=region_names(settings.regions),
        region=random.choice(settings.regions, n, p=region_shares(settings.regions)),
        device=random.choice(len(DEVICES), n, p=_DEVICE_SHARES),
        visit_rate=settings.visits_per_user_day * activity,
        taste=random.normal(0.0, _TASTE_SPREAD, (n, len(CATEGORIES))),
        attributes=draw_attributes(settings, np.maximum(-signup_minute, 0) / (365 * _DAY_MINUTES)),
        first_day=first_day,
        signup_minute=signup_minute,
    )
