"""The settings of a simulated shop: a few numbers, a seed, and the kind of difference between segments."""

import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Literal, get_args

from features.errors import InputDataError, UsageError

WorldName = Literal["homogeneous", "mild", "strong", "nonlinear", "drift", "personal", "shift", "null"]

SINGLE_NIGHT_WORLDS: tuple[WorldName, ...] = (
    "homogeneous",
    "mild",
    "strong",
    "nonlinear",
    "drift",
    "personal",
)
"""Worlds in which learners are compared within one night. The others are made for many nights in turn: tastes
that jump, and a shop in which nothing can be gained."""

WORLD_VERSION = 3
"""Version of the simulator, increased when the same settings give another world, so that no old log is
compared with a new truth."""

MOST_SLOTS = 5
FEWEST_REGIONS, MOST_REGIONS = 2, 400
_SHARES = ("new_user_share", "new_item_share", "stock_out_share", "explore_share", "dirt")
_LARGEST_SHARE = 0.5


@dataclass(frozen=True)
class WorldSettings:
    """The complete settings of a simulated shop; equal settings give equal bytes.

    users: people who are customers, or become customers in the first four weeks.
    days: nights of logs, from `first_date` on. More days add nights and don't change the earlier ones.
    world: how item preferences differ between segments (region x device): not at all, a little, a lot; by
        hidden traits with a nonlinear effect of the user's attributes; a lot, and changing from night to
        night; not at all, but every user has a personal taste that only the user's history shows; a lot, and
        replaced by other ones on one day; not at all, and no item or creative is better than another.
    items: size of the catalog, including items that are launched in the first four weeks.
    slots: positions of the surface that is filled at each visit, 1 to 5. The stages after ingest evaluate at
        most 3.
    visits_per_user_day: mean visits of one user on one day; each visit shows `slots` items.
    ads_per_user_day: mean ads shown to one user on one day.
    new_user_share, new_item_share: share of users and items that come after the first night.
    stock_out_share: about this share of items is out of stock on a day.
    seasonality: how strongly weekdays and a slow wave move visits and clicks; 0 is not at all, 1 is usual.
    explore_share: share of users who are served by the exploring policy.
    dirt: share of lines that are repeated, late or broken, see dirt.py; 0 writes clean files.
    stray_quote: whether one file gets a quote that never closes; such a file is refused as a whole.
    regions: number of regions, 2 to 400; with 3 devices in each, three times as many segments.
    Raises UsageError when a number is out of its range.
    """

    users: int = 2000
    days: int = 28
    seed: int = 0
    first_date: date = date(2026, 1, 5)
    world: WorldName = "strong"
    items: int = 30
    slots: int = 3
    visits_per_user_day: float = 0.65
    ads_per_user_day: float = 0.8
    new_user_share: float = 0.15
    new_item_share: float = 0.15
    stock_out_share: float = 0.05
    seasonality: float = 1.0
    explore_share: float = 0.2
    dirt: float = 0.0
    stray_quote: bool = False
    regions: int = 8

    def __post_init__(self) -> None:
        if self.world not in get_args(WorldName):
            raise UsageError(
                f"Simulated world '{self.world}' is unknown. Choose one of {', '.join(get_args(WorldName))}."
            )
        if not 1 <= self.slots <= MOST_SLOTS:
            raise UsageError(f"A simulated shop has 1 to {MOST_SLOTS} slots, not {self.slots}. Set slots.")
        if self.items <= self.slots:
            raise UsageError(
                f"{self.items} items can't fill {self.slots} slots with a choice. "
                f"Set items to {self.slots + 1} or more."
            )
        if self.users < 1 or self.days < 1 or self.seed < 0:
            raise UsageError(
                f"A simulated shop needs at least one user, one day and a seed of 0 or more, "
                f"not users={self.users}, days={self.days}, seed={self.seed}."
            )
        if self.visits_per_user_day <= 0 or self.ads_per_user_day <= 0 or not 0 <= self.seasonality <= 2:
            raise UsageError(
                f"visits_per_user_day and ads_per_user_day are means above 0 and seasonality lies in 0 to 2, "
                f"not {self.visits_per_user_day}, {self.ads_per_user_day} and {self.seasonality}."
            )
        if not FEWEST_REGIONS <= self.regions <= MOST_REGIONS:
            raise UsageError(
                f"A simulated shop has {FEWEST_REGIONS} to {MOST_REGIONS} regions, not {self.regions}. "
                "Set regions."
            )
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= _LARGEST_SHARE:
                raise UsageError(f"{name} is a share of 0 to {_LARGEST_SHARE}, not {getattr(self, name)}.")

    @property
    def nights(self) -> tuple[date, ...]:
        """The dates that get a file, from first to last."""
        return tuple(self.first_date + timedelta(days=day) for day in range(self.days))

    def to_json(self) -> str:
        """Return the settings for `world.json`."""
        content = (
            {"world_version": WORLD_VERSION} | asdict(self) | {"first_date": self.first_date.isoformat()}
        )
        return json.dumps(content, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, name: str = "world.json") -> "WorldSettings":
        """Read what `to_json` wrote.

        name: name of the text in an error.
        Raises InputDataError when the text is not such a file or belongs to another version of the simulator.
        """
        try:
            content: dict[str, Any] = dict(json.loads(text))
            version = content.pop("world_version")
            settings = cls(**content | {"first_date": date.fromisoformat(content["first_date"])})
        except (UsageError, ValueError, KeyError, TypeError) as error:
            raise InputDataError(
                f"{name} doesn't describe a simulated shop ({error}). Write it again: metacart simulate."
            ) from error
        if version != WORLD_VERSION:
            raise InputDataError(
                f"{name} is of world version {version}, this simulator makes version {WORLD_VERSION}. "
                f"Its truth no longer fits these logs: write the shop again with metacart simulate."
            )
        return settings
