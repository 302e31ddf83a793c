"""The simulated shop itself, and what any policy in it is truly worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.errors import InputDataError, UsageError
from features.simulator.advertising import AdReward, Advertising, draw_advertising
from features.simulator.catalog import Catalog, draw_catalog
from features.simulator.click_model import ClickModel, Reward, draw_click_model
from features.simulator.logging_policy import LoggingPolicy, draw_logging_policy
from features.simulator.people import SEGMENTS, People, draw_people
from features.simulator.settings import WorldSettings
from features.simulator.spend_response import SpendResponse, draw_spend_response

WORLD_FILE = "world.json"


@dataclass(frozen=True)
class World:
    """A shop with known truth, made from its settings alone; `days` has no influence on it.

    Users and items are named by the ids of the raw logs. Every value below is an exact probability or
    expectation, not an estimate. A round is one item shown in one slot, one row of the impressions log.
    Letters in shapes: n rows, U users, A items, L slots, C creatives.
    """

    settings: WorldSettings
    people: People
    catalog: Catalog
    click_model: ClickModel
    logging_policy: LoggingPolicy
    advertising: Advertising
    spend_response: SpendResponse

    @classmethod
    def create(cls, settings: WorldSettings) -> "World":
        """Make the world of these settings."""
        people = draw_people(settings)
        catalog = draw_catalog(settings)
        click_model = draw_click_model(settings, people, catalog)
        return cls(
            settings=settings,
            people=people,
            catalog=catalog,
            click_model=click_model,
            logging_policy=draw_logging_policy(settings, click_model.quality),
            advertising=draw_advertising(settings),
            spend_response=draw_spend_response(settings),
        )

    @classmethod
    def load(cls, folder: Path) -> "World":
        """Make again the world whose logs lie in `folder`.

        Raises InputDataError when the folder holds no simulated shop, or one of another simulator version.
        """
        path = folder / WORLD_FILE
        if not path.is_file():
            raise InputDataError(
                f"{folder} holds no simulated shop: {WORLD_FILE} is missing. Write one: metacart simulate."
            )
        return cls.create(WorldSettings.from_json(path.read_text(encoding="utf-8"), str(path)))

    @property
    def user_ids(self) -> tuple[str, ...]:
        """All users, U."""
        return self.people.ids.ids

    @property
    def item_ids(self) -> tuple[str, ...]:
        """All items, A."""
        return self.catalog.ids.ids

    @property
    def creative_ids(self) -> tuple[str, ...]:
        """All creatives, C."""
        return self.advertising.ids.ids

    def segment_ids(self, user_ids: Sequence[str]) -> list[str]:
        """The segment of each user, region and device joined by a hyphen."""
        return [SEGMENTS[segment] for segment in self.people.segment[self.people.ids.positions(user_ids)]]

    def expected_reward(
        self, user_ids: Sequence[str], item_ids: Sequence[str], slot: ArrayLike, reward: Reward = "click"
    ) -> NDArray[np.float64]:
        """Probability of the reward if the row's user sees the item in the row's slot, float64[n, A].

        user_ids: one per row.
        item_ids: one per column; A is as many as are asked for.
        slot: int[n], or one for all rows, counted from 1 as in the log.
        reward: click; or purchase, an order within a day of the impression that wasn't cancelled.
        Raises InputDataError for an unknown id, UsageError for an unknown slot or reward.
        """
        users = self.people.ids.positions(user_ids)
        items = self.catalog.ids.positions(item_ids)
        examined = self._examination(slot, len(users))
        return examined[:, None] * self.click_model.attraction_to(reward)[users][:, items]

    def true_value(
        self,
        probabilities: NDArray[np.float64],
        user_ids: Sequence[str],
        item_ids: Sequence[str],
        reward: Reward = "click",
    ) -> float:
        """Mean expected reward per round of a policy, exact in the position-based model.

            V = 1/(n L) * sum over n, l, a of probabilities[n, l, a] examination[l] attraction[user n, a]

        probabilities: float64[n, L, A], chance of item a in slot l of the slate of user n; sums to 1 over a.
        user_ids: one per n; a user who visits often stands there often.
        item_ids: one per a.
        Raises UsageError when shapes or sums don't fit, InputDataError for an unknown id.
        """
        users = self.people.ids.positions(user_ids)
        items = self.catalog.ids.positions(item_ids)
        shape = (len(users), self.settings.slots, len(items))
        if probabilities.shape != shape or len(users) == 0:
            raise UsageError(
                f"Probabilities have shape {probabilities.shape}, not users x slots x items {shape}."
            )
        if not np.allclose(probabilities.sum(axis=2), 1.0, atol=1e-6):
            raise UsageError("Probabilities must sum to 1 over the items of each slot, for each user.")
        attraction = self.click_model.attraction_to(reward)[users][:, items]
        by_slot = np.einsum("nla,na->l", probabilities, attraction) / len(users)
        return float(by_slot @ self.click_model.examination) / self.settings.slots

    def logging_value(self, user_ids: Sequence[str], reward: Reward = "click") -> float:
        """Mean expected reward per round of the policy that wrote the logs; `user_ids` as in `true_value`."""
        return self.true_value(self.logging_marginals(user_ids), user_ids, self.item_ids, reward)

    def oracle_value(self, user_ids: Sequence[str], reward: Reward = "click") -> float:
        """Mean expected reward per round of the best policy that knows segments but not single users."""
        return self.true_value(self.oracle_marginals(user_ids, reward), user_ids, self.item_ids, reward)

    def logging_marginals(self, user_ids: Sequence[str]) -> NDArray[np.float64]:
        """Chance of each item in each slot under the logging policy, float64[n, L, A], the same for all."""
        return np.broadcast_to(
            self.logging_policy.marginals, (len(user_ids), *self.logging_policy.marginals.shape)
        )

    def oracle_marginals(self, user_ids: Sequence[str], reward: Reward = "click") -> NDArray[np.float64]:
        """The slate of the best policy per segment as zeros and ones, float64[n, L, A].

        Examination falls with the slot, so the best slate has the most attractive items in falling order
        (rearrangement inequality).
        """
        slots, items = self.settings.slots, len(self.catalog.ids)
        ranked = np.argsort(-self._segment_attraction(reward), axis=1, kind="stable")[:, :slots]
        slates = np.zeros((len(SEGMENTS), slots, items))
        np.put_along_axis(slates, ranked[:, :, None], 1.0, axis=2)
        return slates[self.people.segment[self.people.ids.positions(user_ids)]]

    def expected_ad_reward(
        self, user_ids: Sequence[str], creative_ids: Sequence[str], reward: AdReward = "click"
    ) -> NDArray[np.float64]:
        """Probability of the reward if the row's user sees the creative, float64[n, C].

        user_ids: one per row.  creative_ids: one per column; each says its campaign and channel.
        Raises InputDataError for an unknown id, UsageError for an unknown reward.
        """
        segments = self.people.segment[self.people.ids.positions(user_ids)]
        creatives = self.advertising.ids.positions(creative_ids)
        return self.advertising.expected_reward(reward)[segments][:, creatives]

    def expected_revenue_cents(
        self, campaign_id: str, channel: str, segment_id: str, spend_cents: ArrayLike
    ) -> NDArray[np.float64]:
        """Exact expected revenue of one day at each spend, see SpendResponse; `segment_id` is a region."""
        return self.spend_response.expected_revenue_cents(campaign_id, channel, segment_id, spend_cents)

    @cached_property
    def _segment_weights(self) -> NDArray[np.float64]:
        """float64[G, U]: share of the segment's visits that the user makes."""
        member = self.people.segment[None, :] == np.arange(len(SEGMENTS))[:, None]
        visits = member * self.people.visit_rate
        return np.asarray(visits / np.maximum(visits.sum(axis=1, keepdims=True), np.finfo(float).tiny))

    def _segment_attraction(self, reward: Reward) -> NDArray[np.float64]:
        return np.asarray(self._segment_weights @ self.click_model.attraction_to(reward))

    def _examination(self, slot: ArrayLike, rows: int) -> NDArray[np.float64]:
        slots = np.broadcast_to(np.asarray(slot, dtype=np.int64), (rows,))
        if rows and (slots.min() < 1 or slots.max() > self.settings.slots):
            raise UsageError(
                f"Slots count from 1 to {self.settings.slots}; got {slots.min()} to {slots.max()}."
            )
        return self.click_model.examination[slots - 1]
