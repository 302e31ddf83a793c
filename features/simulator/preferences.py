"""The preferences of segments: the part of the log-odds of a click that differs between them.

    homogeneous, mild, strong   d[segment, item]                          a table, scaled
    drift                       cos(w day) d[segment, item] + sin(w day) d'[segment, item]
    shift                       d[segment, item] before SHIFT_DAY, d'[segment, item] from then on
    nonlinear                   sum over k of z[segment, k] tanh(x(user)' B_k φ(item))

In a drifting world the preferences of two nights correlate by cos(w (day - day')): equal on neighboring days,
unrelated after four weeks. In a nonlinear world a segment has three hidden traits, the weights of nonlinear
features of user and item; no table by segment and item, and no function linear in x, describes it. In a
homogeneous, a personal and a null world the scale is 0; for the differences in a personal one see
personal_taste.py. In a shifting world the preferences before and after the shift have a correlation of 0.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.simulator.catalog import BRANDS, CATEGORIES, Catalog
from features.simulator.people import DEVICES, People
from features.simulator.settings import WorldName, WorldSettings

HETEROGENEITY: dict[WorldName, float] = {
    "homogeneous": 0.0,
    "mild": 0.18,
    "strong": 0.34,
    "nonlinear": 0.45,
    "drift": 0.34,
    "personal": 0.0,
    "shift": 0.34,
    "null": 0.0,
}
"""Standard deviation of the differences between segments, in log-odds."""

SHIFT_DAY = 21
"""The first day, counted from 0, on which people of a shifting world have their new preferences.

With 14 days before the first night, the list of night 1 is shown on day 14 and that of night 8 on day 21: it
is the first that meets the new preferences, and all evidence behind it is of the old ones."""

_TURN_DAYS = 112  # a full turn; four weeks are a quarter of it
_TRAITS = 3
_BEND = 1.5  # spread of the argument of tanh: at 1.5 half of the features are nearly saturated
_FEATURE_SPREAD = 0.74  # of tanh(1.5 g) for standard normal g


class Preferences(Protocol):
    """The part of the log-odds of a click that belongs to the segment."""

    def deviation(
        self, user: NDArray[np.int64], item: NDArray[np.int64], day: ArrayLike
    ) -> NDArray[np.float64]:
        """Return the log-odds for positions of users and items and days from 0, in their broadcast shape."""


@dataclass(frozen=True)
class TablePreferences:
    """Preferences that don't change.

    segment: int64[U] of each user. table: float64[G, A].
    """

    segment: NDArray[np.int64]
    table: NDArray[np.float64]

    def deviation(
        self,
        user: NDArray[np.int64],
        item: NDArray[np.int64],
        day: ArrayLike,  # noqa: ARG002 (these preferences stay)
    ) -> NDArray[np.float64]:
        """See `Preferences`."""
        return np.asarray(self.table[self.segment[user], item])


@dataclass(frozen=True)
class TurningPreferences:
    """Preferences that drift from night to night.

    segment: int64[U] of each user. first, then: float64[G, A], on day 0 and four weeks later.
    """

    segment: NDArray[np.int64]
    first: NDArray[np.float64]
    then: NDArray[np.float64]

    def deviation(
        self, user: NDArray[np.int64], item: NDArray[np.int64], day: ArrayLike
    ) -> NDArray[np.float64]:
        """See `Preferences`."""
        angle = 2 * np.pi * np.asarray(day) / _TURN_DAYS
        segment = self.segment[user]
        return np.asarray(
            np.cos(angle) * self.first[segment, item] + np.sin(angle) * self.then[segment, item]
        )


@dataclass(frozen=True)
class ShiftingPreferences:
    """Preferences that are replaced on one day, SHIFT_DAY.

    segment: int64[U] of each user. before, after: float64[G, A].
    """

    segment: NDArray[np.int64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]

    def deviation(
        self, user: NDArray[np.int64], item: NDArray[np.int64], day: ArrayLike
    ) -> NDArray[np.float64]:
        """See `Preferences`."""
        segment = self.segment[user]
        is_before = np.asarray(day) < SHIFT_DAY
        return np.asarray(np.where(is_before, self.before[segment, item], self.after[segment, item]))


@dataclass(frozen=True)
class TraitPreferences:
    """Preferences that are nonlinear in the facts about a user; K traits, D facts.

    segment: int64[U] of each user. traits: float64[G, K], z, with scale.
    facts: float64[U, D], x, the last of them 1.
    directions: float64[K, D, A], B_k φ(item).
    """

    segment: NDArray[np.int64]
    traits: NDArray[np.float64]
    facts: NDArray[np.float64]
    directions: NDArray[np.float64]

    def deviation(
        self,
        user: NDArray[np.int64],
        item: NDArray[np.int64],
        day: ArrayLike,  # noqa: ARG002 (these preferences stay)
    ) -> NDArray[np.float64]:
        """See `Preferences`."""
        total = np.zeros(np.broadcast_shapes(user.shape, item.shape))
        for trait, direction in zip(self.traits.T, self.directions, strict=True):
            projected = sum(
                fact[user] * along[item] for fact, along in zip(self.facts.T, direction, strict=True)
            )
            total += trait[self.segment[user]] * np.tanh(projected)
        return total


def draw_preferences(
    settings: WorldSettings, people: People, catalog: Catalog, random: np.random.Generator
) -> Preferences:
    """Make the preferences of these people.

    homogeneous, mild, strong, personal, null, the first night of drift and the days before the shift share
    all draws and differ by one factor.
    """
    scale = HETEROGENEITY[settings.world]
    if settings.world == "nonlinear":
        traits = random.normal(size=(len(people.segments), _TRAITS))
        traits = (traits - traits.mean(axis=0)) / traits.std(axis=0)
        return TraitPreferences(
            segment=people.segment,
            traits=traits * scale / (_FEATURE_SPREAD * np.sqrt(_TRAITS)),
            facts=np.hstack([people.attributes.levels, np.ones((len(people.ids), 1))]),
            directions=_directions(catalog, people.attributes.levels.shape[1] + 1, random),
        )
    table = scale * _segment_table(catalog, settings.regions, random)
    if settings.world in ("drift", "shift"):
        # without what the two have in common by chance, so that the correlation of two nights is the cosine
        other = _segment_table(catalog, settings.regions, random)
        other -= (other * table).sum() / (table * table).sum() * table
        then = scale * other / other.std()
        if settings.world == "shift":
            return ShiftingPreferences(people.segment, table, then)
        return TurningPreferences(people.segment, table, then)
    return TablePreferences(people.segment, table)


def _directions(catalog: Catalog, facts: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Draw directions, float64[K, D, A]; fact x direction sums to spread _BEND over users and items."""
    described = np.hstack(
        [
            np.eye(len(CATEGORIES))[catalog.category],
            np.eye(len(BRANDS))[catalog.brand],
            catalog.price_level[:, None],
        ]
    )
    drawn = random.normal(size=(_TRAITS, facts, described.shape[1]))
    # category, brand and price level each bring a variance of about 1 for every fact
    return np.asarray(_BEND / np.sqrt(3 * facts) * drawn @ described.T, dtype=np.float64)


def _segment_table(catalog: Catalog, regions: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Draw a table, float64[G, A]: mean 0 over segments for each item, standard deviation 1 over all.

    Most of it follows from what is known of segment and item (region with category and brand, device with
    category and price), so that a segment with little data can learn from the others; the rest is its own.
    """
    by_region = (
        random.normal(size=(regions, len(CATEGORIES)))[:, catalog.category]
        + 0.6 * random.normal(size=(regions, len(BRANDS)))[:, catalog.brand]
    )
    by_device = (
        0.6 * random.normal(size=(len(DEVICES), len(CATEGORIES)))[:, catalog.category]
        + 0.6 * random.normal(size=(len(DEVICES), 1)) * catalog.price_level
    )
    own = 0.6 * random.normal(size=(regions * len(DEVICES), len(catalog.ids)))
    mixed = np.repeat(by_region, len(DEVICES), axis=0) + np.tile(by_device, (regions, 1)) + own
    centered = mixed - mixed.mean(axis=0)
    return np.asarray(centered / centered.std(), dtype=np.float64)
