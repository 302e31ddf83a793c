"""What a day of the simulated shop truly earns, per round, by what serves it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.simulator.policy_value import SlatePolicy, Visits
from features.simulator.reference_policies import BestSlates, LoggedSlates
from features.simulator.served_slates import ServedSlates
from features.simulator.world import World


@dataclass(frozen=True)
class Explored:
    """A policy with a share of uniform slates."""

    policy: SlatePolicy
    exploration: float

    def slot_probabilities(self, visits: Visits) -> NDArray[np.float64]:
        """See `SlatePolicy`."""
        uniform = visits.available / visits.available.sum()
        own = self.policy.slot_probabilities(visits)
        return np.asarray((1.0 - self.exploration) * own + self.exploration * uniform)


@dataclass(frozen=True)
class DayValues:
    """True rewards per round of one day.

    served: of what was shown. first: of the shop's first policies; first_explored: with the same share of
    uniform slates as what was shown; oracle: of the best slates that the features allow, with that share.
    """

    served: float
    first: float
    first_explored: float
    oracle: float


def day_values(world: World, served: ServedSlates, day: int, exploration: float) -> DayValues:
    """Return the true values of a day on which these slates were shown."""
    first = LoggedSlates(world)
    # In the personal world the user's history shows the taste, so features allow it.
    best = BestSlates(world, knows="taste" if world.settings.world == "personal" else "context")

    def value(policy: SlatePolicy) -> float:
        return world.true_value(policy, days=[day]).value

    return DayValues(
        served=served_value(world, served, day),
        first=value(first),
        first_explored=value(Explored(first, exploration)),
        oracle=value(Explored(best, exploration)),
    )


def served_value(world: World, served: ServedSlates, day: int) -> float:
    """Return the expected reward per round of the slates that were shown to each user, on this day.

    Users that the table does not name are served by the shop's first policies.
    """
    opened = world.open(day)
    users = np.arange(len(opened.visit_rate))
    model, items = world.click_model, np.arange(len(world.item_ids))
    is_served = served.is_served[users]
    slate = np.where(is_served[:, None], served.item[users], 0)
    shown = model.attraction(users[:, None], slate, day) * opened.available[slate]
    by_table = shown @ model.examination
    marginals = opened.marginals[world.logging.policy_of_user[users]]
    everything = model.attraction(users[:, None], items, day)
    by_own = np.einsum("nla,na,l->n", marginals, everything, model.examination)
    per_visit = np.where(is_served, by_table, by_own)
    return float(opened.visit_rate @ per_visit / opened.visit_rate.sum() / len(model.examination))
