"""What a day of the simulated shop truly earns, per round, by what serves it.

A table is made in the evening, from what is on offer then: what sells out over night is shown all the same,
and nobody clicks it. So tables are compared with what other policies would earn as tables, and the first
policies of the shop stand beside them once more as they served before: live, from what is on offer.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.simulator.policy_value import SlatePolicy, Visits
from features.simulator.reference_policies import BestSlates, LoggedSlates
from features.simulator.served_slates import ServedSlates
from features.simulator.world import World


@dataclass(frozen=True)
class DayValues:
    """True rewards per round of one day.

    served: of what was shown. first: of the shop's first policies, live. first_explored: of a table of the
    same, with the same share of uniform slates as what was shown; oracle: of a table of the best slates that
    the features allow, with that share.
    """

    served: float
    first: float
    first_explored: float
    oracle: float


def day_values(world: World, served: ServedSlates, day: int, exploration: float) -> DayValues:
    """Return the true values of a day on which these slates were shown; day: from 1."""
    first = LoggedSlates(world)
    # In the personal world the user's history shows the taste, so features allow it.
    best = BestSlates(world, knows="taste" if world.settings.world == "personal" else "context")
    return DayValues(
        served=served_value(world, served, day),
        first=world.true_value(first, days=[day]).value,
        first_explored=table_value(world, first, day, exploration, tastes_of=day - 1),
        oracle=table_value(world, best, day, exploration, tastes_of=day),
    )


def served_value(world: World, served: ServedSlates, day: int) -> float:
    """Return the expected reward per round of the slates that were shown to each user, on this day.

    Users that the table does not name are served by the shop's first policies.
    """
    opened, model = world.open(day), world.click_model
    users = np.flatnonzero(served.is_served[: len(opened.visit_rate)])
    shown = model.attraction(users[:, None], served.item[users], day) * opened.available[served.item[users]]
    return _per_round(world, users, shown @ model.examination, day)


def table_value(world: World, policy: SlatePolicy, day: int, exploration: float, *, tastes_of: int) -> float:
    """Return the expected reward per round of a policy's table, made of what was on offer the day before.

    exploration: share of uniform slates. tastes_of: the day whose tastes the policy knows. Users that come
    for the first time have no row, and are served by the shop's first policies.
    """
    eve, opened, model = world.open(day - 1), world.open(day), world.click_model
    users = np.arange(len(eve.visit_rate))
    visits = Visits(tastes_of, tuple(world.people.ids.at(users)), world.people.context[users], eve.available)
    uniform = eve.available / eve.available.sum()
    chances = (1.0 - exploration) * policy.slot_probabilities(visits) + exploration * uniform
    attraction = model.attraction(users[:, None], np.arange(len(uniform)), day) * opened.available
    return _per_round(world, users, np.einsum("nla,na,l->n", chances, attraction, model.examination), day)


def _per_round(world: World, users: NDArray[np.int64], by_table: NDArray[np.float64], day: int) -> float:
    """Return the mean reward of a round; by_table: of a visit of each of these users, float64[n].

    The others are served by the shop's first policies.
    """
    opened, model = world.open(day), world.click_model
    everybody = np.arange(len(opened.visit_rate))
    marginals = opened.marginals[world.logging.policy_of_user[everybody]]
    attraction = model.attraction(everybody[:, None], np.arange(len(opened.available)), day)
    per_visit = np.einsum("nla,na,l->n", marginals, attraction, model.examination)
    per_visit[users] = by_table
    return float(opened.visit_rate @ per_visit / opened.visit_rate.sum() / len(model.examination))
