"""The acts of a shop's users as interactions: numbers for rankers, and the names behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from offline_rl.interactions import Bools, Interactions, Ints

COLUMNS = ("visitor", "user_key", "item_id", "acted_at", "act")
"""What is read of the mart `fct_acts`."""

STRENGTH = {"view": 1.0, "click": 1.0, "add_to_cart": 3.0, "purchase": 5.0}
"""What an act counts beside a view: the further on the way to an order, the rarer and the surer."""


@dataclass(frozen=True, eq=False)
class ShopActs:
    """interactions: of visitors and items by number.

    user_keys: of the visitors, None for one without a user. item_ids: of the items.
    aim: the act that recommendations are to bring about. is_shown: bool [I], items that can be shown.
    """

    interactions: Interactions
    user_keys: Sequence[str | None]
    item_ids: Sequence[str]
    aim: str
    is_shown: Bools

    @property
    def users(self) -> Ints:
        """Numbers of the visitors who are users, int64."""
        return np.flatnonzero([key is not None for key in self.user_keys])

    @classmethod
    def of(cls, acts: pl.DataFrame, catalog: Sequence[str] = ()) -> "ShopActs":
        """Return the acts of the mart `fct_acts`; catalog: items that the shop has, empty where unknown.

        The aim is a purchase where any is logged, else a click, else a view: whatever the log has of what a
        shop wants most.
        """
        visitors = acts.select("visitor", "user_key").unique().sort("visitor")
        item_ids = acts["item_id"].unique().sort()
        kinds = set(acts["act"].unique())
        aim = next((act for act in ("purchase", "click", "view") if act in kinds), "view")
        interactions = Interactions(
            user=_numbers(acts["visitor"], visitors["visitor"]),
            item=_numbers(acts["item_id"], item_ids),
            weight=acts["act"].replace_strict(STRENGTH, return_dtype=pl.Float64).to_numpy(),
            moment=acts["acted_at"].dt.epoch("us").to_numpy(),
            n_users=visitors.height,
            n_items=len(item_ids),
            is_purchase=(acts["act"] == aim).to_numpy(),
        )
        is_shown = item_ids.is_in(catalog) if catalog else pl.repeat(True, len(item_ids), eager=True)
        return cls(interactions, visitors["user_key"].to_list(), item_ids.to_list(), aim, is_shown.to_numpy())


def _numbers(names: pl.Series, known: pl.Series) -> Ints:
    """Return the place of each name among those known."""
    places = pl.DataFrame({"name": known, "place": np.arange(len(known))})
    found = names.to_frame("name").join(places, on="name", how="left", maintain_order="left")
    return found["place"].to_numpy().astype(np.int64)
