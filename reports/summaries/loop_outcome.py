"""What closed loops of simulated shops have shown: the record that the page of `metacart loop` prints."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

GoalName = Literal[
    "gap_closed", "mean_never_lower", "no_shop_lower", "recovery", "coverage", "false_promotions"
]

Judgement = Literal["met", "not_met", "not_judged"]

WhyNot = Literal[
    "world_not_run",
    "way_not_run",
    "few_nights",
    "few_shops",
    "nothing_to_gain",
    "nothing_lost",
    "no_intervals",
]
"""Why a goal can't be judged: by what was not run, or by what there is nothing of."""

CoverageMethod = Literal["t_over_shops", "shops_alike", "one_shop"]
"""How the interval of a coverage was made, see `flows.simulations.loop.coverage`."""


@dataclass(frozen=True)
class Coverage:
    """How often intervals of one way held the truth: mean of the shares of its shops, and its 95 % interval.

    n_nights: that have an interval, over all shops.
    """

    share: float
    lower: float
    upper: float
    n_nights: int
    n_shops: int
    method: CoverageMethod


@dataclass(frozen=True)
class Goal:
    """A goal of loops in one world, judged by metacart's true values.

    why: None where it is judged. figures: what it is judged by, shares and changes as floats and counts as
    integers, see `flows.simulations.loop.goals`; coverage: of the goal of that name.
    """

    name: GoalName
    world: str
    judgement: Judgement
    figures: Mapping[str, float]
    why: WhyNot | None = None
    coverage: Coverage | None = None


@dataclass(frozen=True)
class WayRow:
    """What one way has earned in one world: true values per round, means over shops and their last nights.

    served, first_explored, oracle: of what was shown, of lists of the first policy and of the best slates
    that the features allow, all with the same share of uniform slates; first: of the first policy as it was.
    gap_closed: (served - first_explored) / (oracle - first_explored), None where there is nothing to gain.
    mean_shop, worst_shop: served over first_explored, less 1, over all nights of a shop.
    promotions: number of nights that promoted something.
    """

    world: str
    way: str
    shops: int
    nights: int
    served: float
    first: float
    first_explored: float
    oracle: float
    gap_closed: float | None
    mean_shop: float
    worst_shop: float
    promotions: int
    coverage: Coverage | None


@dataclass(frozen=True)
class NightLine:
    """Values of the nights from 1 on, means over shops. name: a way, `first` or `oracle`."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class ClosedGate:
    """A reason code, and the number of nights without a promotion that have it."""

    code: str
    n_nights: int


@dataclass(frozen=True)
class WorldOutcome:
    """One world.

    lines: over the shops that all ways have in common, n_common of them; none where they have none.
    jump: the night whose list meets new tastes first, None where tastes don't jump.
    n_closed: number of metacart's nights that promoted nothing; closed: why, the most frequent first.
    """

    world: str
    n_nights: int
    n_common: int
    lines: tuple[NightLine, ...]
    jump: int | None
    rows: tuple[WayRow, ...]
    n_closed: int
    closed: tuple[ClosedGate, ...]


@dataclass(frozen=True)
class LoopOutcome:
    """Loops of shops with this many users, after this many days of their first policies.

    n_last: number of nights at the end that means are of.
    """

    users: int
    first_days: int
    n_last: int
    worlds: tuple[WorldOutcome, ...]
    goals: tuple[Goal, ...]
