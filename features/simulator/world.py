"""The simulated shop itself, and the true value of any policy in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from features.errors import InputDataError, UsageError
from features.simulator.advertising import AdReward, Advertising, draw_advertising
from features.simulator.assortment import Assortment, draw_assortment
from features.simulator.catalog import Catalog, draw_catalog
from features.simulator.click_model import ClickModel, ItemReward, draw_click_model
from features.simulator.logging_policy import Logging, LoggingPolicy, draw_logging
from features.simulator.parts import parts
from features.simulator.people import People, draw_people
from features.simulator.plackett_luce import slot_marginals
from features.simulator.policy_value import (
    SlatePolicy,
    SlateSampler,
    TrueValue,
    Visits,
    exact_value,
    sampled_value,
)
from features.simulator.seasonality import Seasonality, draw_seasonality
from features.simulator.settings import WorldSettings
from features.simulator.shop_day import ShopDay
from features.simulator.spend_response import SpendResponse, draw_spend_response
from features.simulator.streams import Stream, generator

WORLD_FILE = "world.json"

Domain = Literal["recommendation", "advertising"]

Result = Literal["click", "conversion", "revenue", "margin"]


@dataclass(frozen=True)
class LoggedRewards:
    """The true expected rewards of logged rounds; n rounds, A actions.

    of_action: float64[n, A], expected reward if the round's action were this one.
    of_log: float64[n], expected reward under the policy that served the round.
    """

    of_action: NDArray[np.float64]
    of_log: NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """A shop with known truth, made from its settings alone; `days` has no influence on it.

    Users and items are named by the ids of the raw logs. Values are exact probabilities or expectations; only
    `true_value` of a policy that can't give its probabilities is sampled, with its standard error. A round is
    one item shown in one slot, one row of the impressions log. Days count from 0, the day of
    `settings.first_date`. Letters in shapes: n rows, U users, A items, L slots, C creatives.
    """

    settings: WorldSettings
    people: People
    catalog: Catalog
    season: Seasonality
    assortment: Assortment
    click_model: ClickModel
    logging: Logging
    advertising: Advertising
    spend_response: SpendResponse

    @classmethod
    def create(cls, settings: WorldSettings) -> "World":
        """Make the world of these settings."""
        people = draw_people(settings)
        catalog = draw_catalog(settings)
        season = draw_seasonality(settings)
        click_model = draw_click_model(settings, people, catalog, season)
        return cls(
            settings=settings,
            people=people,
            catalog=catalog,
            season=season,
            assortment=draw_assortment(settings, catalog.launch_day),
            click_model=click_model,
            logging=draw_logging(settings, catalog, click_model.quality),
            advertising=draw_advertising(settings),
            spend_response=draw_spend_response(settings),
        )

    @classmethod
    def load(cls, folder: Path) -> "World":
        """Make the world again whose logs are in `folder`.

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
        """All users, U, including those who come later."""
        return self.people.ids.ids

    @property
    def item_ids(self) -> tuple[str, ...]:
        """All items, A."""
        return self.catalog.ids.ids

    @property
    def creative_ids(self) -> tuple[str, ...]:
        """All creatives, C."""
        return self.advertising.ids.ids

    @property
    def logging_policy(self) -> LoggingPolicy:
        """The policy that serves users outside the exploring bucket."""
        return self.logging.policies[0]

    def segment_ids(self, user_ids: Sequence[str]) -> list[str]:
        """Return the segment of each user, region and device joined by a hyphen."""
        segments = self.people.segments
        return [segments[segment] for segment in self.people.segment[self.people.ids.positions(user_ids)]]

    def days(self, moments: pl.Series) -> NDArray[np.int64]:
        """Return the day of each date or UTC time, counted from 0, int64[n]."""
        since = moments.cast(pl.Date) - self.settings.first_date
        return since.dt.total_days().to_numpy().astype(np.int64)

    def open(self, day: int) -> ShopDay:
        """Return the state of a day before its first visit."""
        active = self.people.active(day)
        traffic = self.season.visits(day)
        available = self.assortment.available(day)
        weights = np.stack([policy.weights_among(available) for policy in self.logging.policies])
        return ShopDay(
            number=day,
            date=self.settings.first_date + timedelta(days=day),
            visit_rate=traffic * self.people.visit_rate[:active],
            ad_rate=traffic * self.settings.ads_per_user_day * active,
            available=available,
            weights=weights,
            marginals=np.stack([slot_marginals(of_one, self.settings.slots) for of_one in weights]),
        )

    def visits(self, day: int, user_ids: Sequence[str]) -> Visits:
        """Return the inputs of a policy for visits of these people on a day."""
        users = self.people.ids.positions(user_ids)
        return Visits(day, tuple(user_ids), self.people.context[users], self.assortment.available(day))

    def expected_reward(
        self,
        user_ids: Sequence[str],
        item_ids: Sequence[str],
        slot: ArrayLike,
        reward: ItemReward = "click",
        day: ArrayLike = 0,
    ) -> NDArray[np.float64]:
        """Return the expected reward of each row's user and slot and of each item, float64[n, A].

        user_ids: one per row.
        item_ids: one per column, A of them.
        slot: int[n], or one for all rows, counted from 1 as in the log.
        reward: click; or purchase, an order within a day of the impression that wasn't cancelled; or its
        revenue or margin, in the currency's main unit.
        day: int[n], or one for all rows. Season changes all clicks, and in a drifting or shifting world
        preferences change. Raises InputDataError for an unknown id, UsageError for an unknown slot or reward.
        """
        users = self.people.ids.positions(user_ids)
        items = self.catalog.ids.positions(item_ids)
        examined = self.click_model.examination[self.click_model.slot_positions(slot, len(users))]
        days = np.broadcast_to(np.asarray(day, dtype=np.int64), (len(users),))
        return examined[:, None] * self.click_model.attraction(users[:, None], items, days[:, None], reward)

    def expected_ad_reward(
        self, user_ids: Sequence[str], creative_ids: Sequence[str], reward: AdReward = "click"
    ) -> NDArray[np.float64]:
        """Return the expected reward of each row's user and of each creative, float64[n, C].

        user_ids: one per row. creative_ids: one per column; each names its campaign and channel.
        Raises InputDataError for an unknown id, UsageError for an unknown reward.
        """
        segments = self.people.segment[self.people.ids.positions(user_ids)]
        creatives = self.advertising.ids.positions(creative_ids)
        return self.advertising.expected_reward(reward)[segments][:, creatives]

    def expected_revenue_cents(
        self, campaign_id: str, channel: str, segment_id: str, spend_cents: ArrayLike
    ) -> NDArray[np.float64]:
        """Return the exact expected revenue of a day at each spend, see SpendResponse.

        segment_id: a region.
        """
        return self.spend_response.expected_revenue_cents(campaign_id, channel, segment_id, spend_cents)

    def logged_rewards(
        self,
        domain: Domain,
        user_ids: Sequence[str],
        action_ids: Sequence[str],
        *,
        shown_ids: Sequence[str],
        slot: ArrayLike,
        day: NDArray[np.int64],
        reward: Result = "click",
    ) -> LoggedRewards:
        """Return the expected rewards of logged rounds with every action, and with their own policy.

        user_ids, shown_ids, slot, day: of each round; shown_ids are the logged actions, items or creatives.
        action_ids: one per column of `of_action`; `of_log` is over all actions, also those not in the list.
        A user is served by the same logging policy every day, so it is not an argument.
        Raises InputDataError for an unknown id, UsageError for an unknown slot or reward.
        """
        if domain == "advertising":
            if reward == "margin":
                raise UsageError(
                    "An ad of the simulated shop has no margin: ask for click, conversion or revenue."
                )
            of_action = self.expected_ad_reward(user_ids, action_ids, reward)
            everything = self.expected_ad_reward(user_ids, self.creative_ids, reward)
            cell = self.advertising.cell[self.advertising.ids.positions(shown_ids)]
            chances = (self.advertising.cell == cell[:, None]) * self.advertising.propensity
            return LoggedRewards(of_action, (chances * everything).sum(axis=1))
        item_reward: ItemReward = "purchase" if reward == "conversion" else reward
        users, asked = self.people.ids.positions(user_ids), self.catalog.ids.positions(action_ids)
        policy, place = self.logging.policy_of_user[users], self.click_model.slot_positions(slot, len(users))
        items = np.arange(len(self.item_ids))
        of_action, of_log = np.empty((len(users), len(asked))), np.empty(len(users))
        for one in np.unique(day):
            marginals, today = self.open(int(one)).marginals, np.flatnonzero(day == one)
            for rows in (today[some] for some in parts(len(today), len(items))):
                attraction = self.click_model.attraction(
                    users[rows, None], items, day[rows, None], item_reward
                )
                everything = self.click_model.examination[place[rows], None] * attraction
                of_action[rows] = everything[:, asked]
                of_log[rows] = (marginals[policy[rows], place[rows]] * everything).sum(axis=1)
        return LoggedRewards(of_action, of_log)

    def true_value(
        self,
        policy: SlatePolicy | SlateSampler,
        reward: ItemReward = "click",
        *,
        days: Sequence[int] | None = None,
        n_visits: int = 20_000,
        seed: int = 0,
    ) -> TrueValue:
        """Return the mean expected reward per round of a policy of slates, over all visits of the days.

        Exact for a policy that gives its probabilities; sampled for one that only draws slates.
        days: those that count; None for all nights of the settings.
        n_visits, seed: of the sample.
        Raises UsageError when the policy doesn't fit the shop, see policy_value.py.
        """
        opened = [self.open(day) for day in (range(self.settings.days) if days is None else days)]
        if isinstance(policy, SlatePolicy):
            return exact_value(policy, opened, self.people, self.click_model, reward)
        random = generator(seed, Stream.POLICY_VALUE)
        return sampled_value(
            policy, opened, self.people, self.click_model, reward, n_visits=n_visits, random=random
        )

    def true_targeting_value(
        self,
        probabilities: NDArray[np.float64],
        user_ids: Sequence[str],
        creative_ids: Sequence[str],
        reward: AdReward = "click",
    ) -> TrueValue:
        """Return the exact mean expected reward per ad shown, when cells keep their shares of the ads.

        probabilities: float64[n, C], chance of each creative given its campaign and channel; sums to 1 over
            the creatives of each.
        user_ids: one per row. creative_ids: one per column, all of them in any order.
        Raises UsageError when shapes or sums don't fit, InputDataError for an unknown id.
        """
        cell = self.advertising.cell[self.advertising.ids.positions(creative_ids)]
        shape = (len(user_ids), len(self.creative_ids))
        member = cell[:, None] == np.arange(len(self.advertising.cell_share))
        if probabilities.shape != shape or len(set(creative_ids)) != shape[1] or shape[0] == 0:
            raise UsageError(
                f"Probabilities have shape {probabilities.shape}, not users x creatives {shape}."
            )
        if (probabilities < 0).any() or not np.allclose(probabilities @ member, 1.0, atol=1e-6):
            raise UsageError("Probabilities must sum to 1 over the creatives of each campaign and channel.")
        earned = probabilities * self.expected_ad_reward(user_ids, creative_ids, reward)
        return TrueValue(float((earned @ member @ self.advertising.cell_share).mean()))

    def true_budget_value(self, spend_cents: Mapping[tuple[str, str, str], float]) -> TrueValue:
        """Return the exact expected revenue of one day of a plan, in cents.

        spend_cents: of each (campaign_id, channel, region); a cell that isn't named spends nothing.
        Raises InputDataError for a cell that the world doesn't have.
        """
        revenue = (
            float(self.expected_revenue_cents(*cell, spend)) for cell, spend in sorted(spend_cents.items())
        )
        return TrueValue(sum(revenue))
