"""A question about a shop, and the plan that answers it."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan

from features.contracts.findings import Finding, finding
from features.errors import UsageError
from features.warehouse.traffic import LoggedTraffic
from flows.commands.plan.known_numbers import GivenNumbers, KnownNumbers, known_numbers
from offline_rl.power.horizon import Traffic
from offline_rl.power.normal_test import Asked
from offline_rl.power.plan import (
    FEW_REWARDS,
    Planned,
    Slates,
    Sought,
    planned_arms,
    planned_as_logged,
    planned_exploration,
)

HORIZONS = (7, 14, 28, 56)
"""Days after which the smallest lift is said, unless others are asked for."""


@dataclass(frozen=True)
class PlanQuestion:
    """What `metacart plan` was asked.

    lift: relative, above 0. exploration: shares of uniform slates. shares: of the users on the candidate.
    differs: share of rounds in which the candidate shows something else. days: one horizon in the place of
    HORIZONS. min_ess: effective rounds below which the gate refuses evidence. lacking: why no log was read.
    money: the shop's reward, where that is money; empty for others.
    """

    shop: str
    lift: float
    exploration: tuple[float, ...]
    shares: tuple[float, ...]
    power: float
    confidence: float
    differs: float
    days: int | None
    given: GivenNumbers
    min_ess: float
    lacking: tuple[Finding, ...] = ()
    money: str = ""


@dataclass(frozen=True)
class PlanAnswer:
    """The plan; horizons: days of each row's `lifts`. notes: what it rests on and lacks, in order."""

    question: PlanQuestion
    known: KnownNumbers
    horizons: tuple[int, ...]
    arms: tuple[Planned, ...]
    off_policy: tuple[Planned, ...]
    notes: tuple[Finding, ...]

    @property
    def is_possible(self) -> bool:
        """Whether any design shows the lift within a year."""
        return any(row.needed.outcome == "days" for row in (*self.arms, *self.off_policy))

    def is_below_gate(self, row: Planned) -> bool:
        """Whether the gate would refuse the evidence for its few effective rounds."""
        effective = row.effective_rounds
        return row.kind != "two_arms" and effective is not None and effective < self.question.min_ess


def answer(question: PlanQuestion, logged: LoggedTraffic | None) -> PlanAnswer:
    """Plan all designs that the numbers allow.

    logged: None where no log was read. Raises UsageError for numbers that make no sense.
    """
    if question.lift <= 0 or (question.days is not None and question.days < 1):
        raise UsageError("--lift is a relative gain above 0, such as 0.05, and --days is 1 or more.")
    if any(number is not None and number < 1 for number in (question.given.items, question.given.slots)):
        raise UsageError("--items and --slots are 1 or more: what there is to choose from, and its places.")
    try:
        known = known_numbers(question.shop, logged, question.given)
        return _planned(question, known)
    except ValueError as error:
        raise UsageError(f"This can't be planned: {error}") from error


def _planned(question: PlanQuestion, known: KnownNumbers) -> PlanAnswer:
    horizons = _horizons(question, known)
    sought = Sought(question.lift, Asked(question.power, question.confidence), horizons)
    arms: tuple[Planned, ...] = ()
    off_policy: tuple[Planned, ...] = ()
    if known.traffic is not None:
        traffic = known.traffic
        arms = tuple(planned_arms(share, traffic, sought) for share in question.shares)
        off_policy = tuple(_off_policy(question, known, traffic, sought))
    bare = PlanAnswer(question, known, horizons, arms, off_policy, ())
    return PlanAnswer(question, known, horizons, arms, off_policy, tuple(_notes(bare)))


def _horizons(question: PlanQuestion, known: KnownNumbers) -> tuple[int, ...]:
    if question.days is not None:
        return (question.days,)
    of_log = set() if known.n_days is None else {known.n_days}
    return tuple(sorted({*HORIZONS, *of_log}))


def _off_policy(
    question: PlanQuestion, known: KnownNumbers, traffic: Traffic, sought: Sought
) -> Iterator[Planned]:
    if known.items is None:
        return
    slates = Slates(known.items, known.slots, question.differs)
    for share in question.exploration:
        yield planned_exploration(share, slates, traffic, sought, uniform_rate=known.uniform_rate)
    if known.second_moment is not None:
        yield planned_as_logged(known.second_moment, slates, traffic, sought)


def _notes(plan: PlanAnswer) -> Iterator[Finding]:
    """Yield what is lacking, then what is assumed, then what to know of single answers."""
    question, known, shop = plan.question, plan.known, plan.question.shop
    lacking = (*question.lacking, *known.lacking)
    yield from (lacking if known.lacking else ())
    if known.traffic is None:
        return
    if question.money:
        yield finding("orders_planned", shop, reward=question.money, times=known.rounds_for_money or nan)
    yield from known.assumed
    if plan.off_policy:
        yield Finding("one_item_in_each_slot", shop)
        yield Finding("tastes_unrelated", shop)
        if question.differs < 1:
            yield Finding("differs_in_some_rounds", shop, {"share": question.differs})
        else:
            yield Finding("differs_in_all_rounds", shop)
        if known.second_moment is not None:
            yield Finding("any_item_likely", shop)
        elif known.days is not None:
            yield Finding("no_propensities_in_log", shop)
        if known.uniform_rate is None:
            yield Finding("cost_unknown", shop)
        else:
            numbers = {"uniform": known.uniform_rate, "logged": known.traffic.rate}
            yield Finding("cost_estimated", shop, numbers)
    if any(row.is_rough for row in (*plan.arms, *plan.off_policy)):
        yield Finding("few_rewards_expected", shop, {"least": FEW_REWARDS})
    if any(plan.is_below_gate(row) for row in plan.off_policy):
        yield Finding("below_the_gate", shop, {"least": question.min_ess})
