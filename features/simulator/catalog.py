"""The catalog of the simulated shop."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.simulator.identifiers import Identifiers
from features.simulator.newcomers import first_days
from features.simulator.settings import WorldSettings
from features.simulator.streams import Stream, generator

CATEGORIES = ("kitchen", "garden", "sports", "books", "toys", "fashion")
# The nouns of item names by category.
NOUNS = ("pan", "rake", "ball", "novel", "puzzle", "scarf")
BRANDS = ("alder", "birch", "cedar", "hazel", "maple")
CURRENCY_CODE = "EUR"

_USUAL_EUROS = 25.0
_PRICE_SPREAD = 0.6
_COST_SHARES = (0.35, 0.85)


@dataclass(frozen=True)
class Catalog:
    """Items in the order of `ids`; A items.

    category, brand: int64[A], positions in CATEGORIES and BRANDS.
    price_cents: int64[A], euro cents ending in 99.
    cost_cents: int64[A], what one piece costs the shop: a share of its price, different for each item.
    launch_day: int64[A], the first day on which the item is sold, counted from 0; never falling.
    """

    ids: Identifiers
    category: NDArray[np.int64]
    brand: NDArray[np.int64]
    price_cents: NDArray[np.int64]
    cost_cents: NDArray[np.int64]
    launch_day: NDArray[np.int64]

    @property
    def price_level(self) -> NDArray[np.float64]:
        """float64[A], the price on a standard normal scale: 0 is the middle, 1 is expensive, -1 is cheap."""
        log_euros = np.log(self.price_cents / 100)
        return np.asarray((log_euros - np.log(_USUAL_EUROS)) / _PRICE_SPREAD, dtype=np.float64)

    @property
    def names(self) -> list[str]:
        """The titles of the items, such as `Cedar pan 7`; length A, all different."""
        kinds = zip(self.brand, self.category, strict=True)
        return [
            f"{BRANDS[brand].title()} {NOUNS[category]} {number}"
            for number, (brand, category) in enumerate(kinds, start=1)
        ]

    def frame(self) -> pl.DataFrame:
        """Return the items log: the whole catalog, including items that are launched later."""
        return pl.DataFrame(
            {
                "item_id": self.ids.ids,
                "name": self.names,
                "url": pl.Series([None] * len(self.ids), dtype=pl.String),
                "image_url": pl.Series([None] * len(self.ids), dtype=pl.String),
                "category": np.array(CATEGORIES)[self.category],
                "brand": np.array(BRANDS)[self.brand],
                "price_cents": self.price_cents,
                "cost_cents": self.cost_cents,
                "currency_code": [CURRENCY_CODE] * len(self.ids),
                "attributes": pl.Series([None] * len(self.ids), dtype=pl.String),
            }
        )


def draw_catalog(settings: WorldSettings) -> Catalog:
    """Make the items of these settings: categories take turns; brands, prices and costs are drawn."""
    random = generator(settings.seed, Stream.CATALOG)
    n = settings.items
    euros = np.exp(random.normal(np.log(_USUAL_EUROS), _PRICE_SPREAD, n)).astype(np.int64)
    price_cents = euros * 100 + 99
    cost_share = generator(settings.seed, Stream.COSTS).uniform(*_COST_SHARES, n)
    newcomers = min(int(settings.new_item_share * n), n - settings.slots - 1)
    return Catalog(
        ids=Identifiers("item", tuple(f"item-{number:03d}" for number in range(1, n + 1))),
        category=np.arange(n, dtype=np.int64) % len(CATEGORIES),
        brand=random.integers(0, len(BRANDS), n),
        price_cents=price_cents,
        cost_cents=np.rint(price_cents * cost_share).astype(np.int64),
        launch_day=first_days(n, newcomers),
    )
