"""The true value of a policy of slates over days of the shop.

    V = sum over days, users, slots l, items a of
            visits(user, day) p(a | l, user, day) examination(l) attraction(user, a, day)
        / (L * visits of all users and days)

Exact where the policy gives its probabilities. Where it only draws slates, the mean over sampled visits with
the exact reward of each drawn slate: only the draws of visits and slates are random.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from features.errors import UsageError
from features.simulator.click_model import ClickModel, ItemReward
from features.simulator.people import People
from features.simulator.shop_day import ShopDay

_USERS_AT_ONCE = 4096


@dataclass(frozen=True)
class TrueValue:
    """A true expectation. standard_error: 0 where it is exact."""

    value: float
    standard_error: float = 0.0


@dataclass(frozen=True)
class Visits:
    """The inputs of a policy for n visits on one day; A items.

    context: float32[n, d], all attributes in the users log.
    available: bool[A], the items that can be shown, in the order of the world's `item_ids`.
    """

    day: int
    user_ids: tuple[str, ...]
    context: NDArray[np.float32]
    available: NDArray[np.bool_]


@runtime_checkable
class SlatePolicy(Protocol):
    """A policy that gives its probabilities."""

    def slot_probabilities(self, visits: Visits) -> NDArray[np.float64]:
        """Return the probability of each item in each slot, float64[n, L, A].

        The sum over A is 1; unavailable items have probability 0.
        """


@runtime_checkable
class SlateSampler(Protocol):
    """A policy that can only be sampled."""

    def draw_slates(self, visits: Visits, random: np.random.Generator) -> NDArray[np.int64]:
        """Draw one slate per visit, int64[n, L]: positions of different available items, first slot first."""


def exact_value(
    policy: SlatePolicy, days: Iterable[ShopDay], people: People, click_model: ClickModel, reward: ItemReward
) -> TrueValue:
    """Return the mean expected reward per round of a policy that gives its probabilities.

    Raises UsageError when the probabilities have another shape, sum or support.
    """
    slots, items = len(click_model.examination), np.arange(len(click_model.quality))
    earned = visited = 0.0
    for day in days:
        for start in range(0, len(day.visit_rate), _USERS_AT_ONCE):
            users = np.arange(start, min(start + _USERS_AT_ONCE, len(day.visit_rate)))
            probabilities = policy.slot_probabilities(_visits(people, users, day))
            _refuse_unfit(probabilities, (len(users), slots, len(items)), day)
            attraction = click_model.attraction(users[:, None], items, day.number, reward)
            per_visit = np.einsum("nla,na,l->n", probabilities, attraction, click_model.examination)
            earned += float(day.visit_rate[users] @ per_visit)
            visited += float(day.visit_rate[users].sum())
    return TrueValue(earned / visited / slots)


def sampled_value(
    policy: SlateSampler,
    days: Sequence[ShopDay],
    people: People,
    click_model: ClickModel,
    reward: ItemReward,
    *,
    n_visits: int,
    random: np.random.Generator,
) -> TrueValue:
    """Return the mean expected reward per round of a policy of slates, over `n_visits` sampled visits.

    Raises UsageError when a slate repeats an item, holds one that isn't available, or has another shape, and
    for less than two visits.
    """
    if n_visits < 2:
        raise UsageError(f"{n_visits} sampled visits give no standard error. Ask for 2 or more.")
    traffic = np.array([day.visit_rate.sum() for day in days])
    per_visit = []
    for day, n in zip(days, random.multinomial(n_visits, traffic / traffic.sum()), strict=True):
        users = random.choice(len(day.visit_rate), n, p=day.visit_rate / day.visit_rate.sum())
        slates = policy.draw_slates(_visits(people, users, day), random)
        _refuse_unfit_slates(slates, (n, len(click_model.examination)), day)
        attraction = click_model.attraction(users[:, None], slates, day.number, reward)
        per_visit.append((attraction * click_model.examination).mean(axis=1))
    values = np.concatenate(per_visit)
    return TrueValue(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))


def _refuse_unfit(probabilities: NDArray[np.float64], shape: tuple[int, int, int], day: ShopDay) -> None:
    if probabilities.shape != shape:
        raise UsageError(
            f"Probabilities have shape {probabilities.shape}, not users x slots x items {shape}."
        )
    if (probabilities < 0).any() or not np.allclose(probabilities.sum(axis=2), 1.0, atol=1e-6):
        raise UsageError("Probabilities must sum to 1 over the items of each slot, for each user.")
    if (probabilities[:, :, ~day.available] > 0).any():
        raise UsageError(f"The policy shows an item that is not available on day {day.number}.")


def _refuse_unfit_slates(slates: NDArray[np.int64], shape: tuple[int, int], day: ShopDay) -> None:
    if slates.shape != shape:
        raise UsageError(f"Slates have shape {slates.shape}, not visits x slots {shape}.")
    in_order = np.sort(slates, axis=1)
    if (in_order[:, 1:] == in_order[:, :-1]).any() or not day.available[slates].all():
        raise UsageError(f"A slate of day {day.number} repeats an item or shows one that isn't available.")


def _visits(people: People, users: NDArray[np.int64], day: ShopDay) -> Visits:
    return Visits(
        day=day.number,
        user_ids=tuple(people.ids.at(users)),
        context=people.context[users],
        available=day.available,
    )
