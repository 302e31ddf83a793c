"""Policies to compare others with: the policies of the logs, and the best possible ones."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.simulator.click_model import ItemReward
from features.simulator.policy_value import Visits
from features.simulator.world import World

Knowledge = Literal["nothing", "segment", "context", "taste"]

_USERS_AT_ONCE = 4096


@dataclass(frozen=True)
class LoggedSlates:
    """The policies of the logs, each for its users."""

    world: World

    def slot_probabilities(self, visits: Visits) -> NDArray[np.float64]:
        """See `SlatePolicy`."""
        users = self.world.people.ids.positions(visits.user_ids)
        return self.world.open(visits.day).marginals[self.world.logging.policy_of_user[users]]


@dataclass(frozen=True)
class BestSlates:
    """The best slate of the available items given the known facts of a visitor, as zeros and ones.

    Examination falls with the slot, so the best slate has the most attractive items in falling order
    (rearrangement inequality).
    knows: nothing (one slate for all), the segment, the context: segment and attributes, but no taste; or the
        taste: everything, also facts that are in no log. Taste has the same variance for all items, so the
        order by context is the order of expected clicks; for purchases it is a close approximation.
    """

    world: World
    knows: Knowledge = "segment"
    reward: ItemReward = "click"

    def slot_probabilities(self, visits: Visits) -> NDArray[np.float64]:
        """See `SlatePolicy`."""
        world = self.world
        users = world.people.ids.positions(visits.user_ids)
        if self.knows in ("context", "taste"):
            everything, with_taste = np.arange(len(world.item_ids)), self.knows == "taste"
            appeal = world.click_model.attraction(
                users[:, None], everything, visits.day, self.reward, with_taste=with_taste
            )
        else:
            appeal = self._mean_attraction(visits.day)[world.people.segment[users]]
        ranked = np.argsort(-np.where(visits.available, appeal, -1.0), axis=1, kind="stable")
        slates = np.zeros((len(users), world.settings.slots, len(world.item_ids)))
        np.put_along_axis(slates, ranked[:, : world.settings.slots, None], 1.0, axis=2)
        return slates

    def _mean_attraction(self, day: int) -> NDArray[np.float64]:
        """Return the mean over the visits of each segment, or of all users, float64[G, A]."""
        world, items = self.world, np.arange(len(self.world.item_ids))
        visit_rate = world.open(day).visit_rate
        segments = np.arange(len(world.people.segments))
        total = np.zeros((len(segments), len(items)))
        for start in range(0, len(visit_rate), _USERS_AT_ONCE):
            users = np.arange(start, min(start + _USERS_AT_ONCE, len(visit_rate)))
            member = world.people.segment[users] == segments[:, None]
            attraction = world.click_model.attraction(users[:, None], items, day, self.reward)
            total += (member * visit_rate[users]) @ attraction
        return total if self.knows == "segment" else np.broadcast_to(total.sum(axis=0), total.shape)
