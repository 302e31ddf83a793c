"""A plan: what each design would need for a lift, and which lift each would show in some days."""

from dataclasses import dataclass
from typing import Literal

from offline_rl.power.designs import Design, OffPolicy, TwoArms
from offline_rl.power.horizon import Needed, Traffic, days_needed, smallest_lift
from offline_rl.power.normal_test import Asked
from offline_rl.power.slate_exploration import explored_weights, logged_weights

FEW_REWARDS = 20
"""Expected rewards on a candidate's items below which a normal interval is rough (ope/README.md)."""

Kind = Literal["two_arms", "explored", "as_logged"]


@dataclass(frozen=True)
class Sought:
    """What each design is asked: the days until a relative lift is shown, and the lifts of some horizons.

    horizons: numbers of days.
    """

    lift: float
    asked: Asked
    horizons: tuple[int, ...]


@dataclass(frozen=True)
class Slates:
    """What is shown: available items, slots of a slate, and the share of rounds in which policies differ."""

    available: int
    slots: int = 1
    differs: float = 1.0


@dataclass(frozen=True)
class Planned:
    """One design.

    share: of the users on the candidate, or of slates that are uniform; None for the log as it is.
    users, rounds: of all policies together, effective_rounds: of the candidate, expected_rewards: on rounds
    that show what the candidate would, all until the lift is shown; None where it isn't within a year.
    cost: share of all reward that exploring loses; None where it is not known or nothing is explored.
    lifts: smallest relative lift after each number of days; None where even the largest is not shown.
    """

    kind: Kind
    share: float | None
    needed: Needed
    users: float | None
    rounds: float | None
    effective_rounds: float | None
    expected_rewards: float | None
    cost: float | None
    lifts: tuple[float | None, ...]

    @property
    def is_rough(self) -> bool:
        """Whether too few rewards are expected for a normal interval."""
        return self.expected_rewards is not None and self.expected_rewards < FEW_REWARDS


def planned_arms(share: float, traffic: Traffic, sought: Sought) -> Planned:
    """Return what a test of two arms needs; raises ValueError for a share that is none."""
    needed, lifts = _answers(TwoArms(share), traffic, sought)
    rounds = _rounds(traffic, needed)
    return Planned(
        kind="two_arms",
        share=share,
        needed=needed,
        users=_users(traffic, needed),
        rounds=rounds,
        effective_rounds=None if rounds is None else rounds * share,
        expected_rewards=None if rounds is None else rounds * share * traffic.rate * (1 + sought.lift),
        cost=None,
        lifts=lifts,
    )


def planned_exploration(
    exploration: float,
    slates: Slates,
    traffic: Traffic,
    sought: Sought,
    *,
    uniform_rate: float | None = None,
) -> Planned:
    """Return what off-policy evaluation needs where this share of slates is uniform.

    uniform_rate: reward per round of uniformly shown items. Raises ValueError for a share that is none, and
    for fewer than two items.
    """
    design = OffPolicy(explored_weights(exploration, slates.available), slates.differs, slates.slots)
    cost = None if uniform_rate is None else exploration * (1 - uniform_rate / traffic.rate)
    return _off_policy(design, traffic, sought, kind="explored", share=exploration, cost=cost)


def planned_as_logged(second_moment: float, slates: Slates, traffic: Traffic, sought: Sought) -> Planned:
    """Return what off-policy evaluation needs of a log like the one there is; see `logged_weights`."""
    design = OffPolicy(logged_weights(second_moment), slates.differs, slates.slots)
    return _off_policy(design, traffic, sought, kind="as_logged")


def _off_policy(
    design: OffPolicy,
    traffic: Traffic,
    sought: Sought,
    *,
    kind: Kind,
    share: float | None = None,
    cost: float | None = None,
) -> Planned:
    needed, lifts = _answers(design, traffic, sought)
    rounds = _rounds(traffic, needed)
    # Rounds that show what the candidate would: each counts E[w²] times in the estimate.
    shown = None if rounds is None else rounds * design.differs / design.weights.candidate
    return Planned(
        kind=kind,
        share=share,
        needed=needed,
        users=_users(traffic, needed),
        rounds=rounds,
        effective_rounds=None if rounds is None else design.effective_rounds(rounds),
        expected_rewards=None if shown is None else shown * traffic.rate * (1 + sought.lift / design.differs),
        cost=cost,
        lifts=lifts,
    )


def _answers(design: Design, traffic: Traffic, sought: Sought) -> tuple[Needed, tuple[float | None, ...]]:
    lifts = tuple(smallest_lift(design, traffic, days, sought.asked) for days in sought.horizons)
    return days_needed(design, traffic, sought.lift, sought.asked), lifts


def _rounds(traffic: Traffic, needed: Needed) -> float | None:
    return None if needed.days is None else traffic.rounds_per_day * needed.days


def _users(traffic: Traffic, needed: Needed) -> float | None:
    return None if needed.days is None else traffic.growth.users(needed.days)
