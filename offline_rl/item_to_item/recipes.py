"""The short list of recipes that a night chooses from, the plain ones first."""

from collections.abc import Sequence
from dataclasses import replace

from offline_rl.item_to_item.popularity import BestSellers, DecayedPopularity
from offline_rl.item_to_item.ranker import ItemToItem
from offline_rl.item_to_item.settings import ItemToItemSettings
from offline_rl.item_to_item.shared_similarity import SharedSimilarity
from offline_rl.ranking.ranker import Recipe

BASELINE = DecayedPopularity()
"""What every difference is to."""

RIVALS: Sequence[Recipe] = (BASELINE, BestSellers())
"""Plain rivals, which stand in every table."""

_START = ItemToItemSettings()


def grid(start: ItemToItemSettings = _START) -> tuple[Recipe, ...]:
    """Return the rivals and the item-to-item recipes that differ from `start` where shops do.

    Whether users come back for the same items (`repeats`, `leaves_out_bought`), how fast tastes fade, how
    much popularity is mixed in: a choice among few, so that the best one is hardly flattered.
    """
    shared = SharedSimilarity()

    def recipe(name: str, settings: ItemToItemSettings) -> Recipe:
        return ItemToItem(settings, name, shared)

    return (
        *RIVALS,
        recipe("own_items", replace(start, repeats=1.0, blend=4 * start.blend)),
        recipe("item_to_item_new", replace(start, repeats=0.0, leaves_out_bought=True)),
        recipe("item_to_item_similar", replace(start, repeats=0.0)),
        recipe("item_to_item", start),
        recipe("item_to_item_blended", replace(start, blend=4 * start.blend)),
        recipe("item_to_item_sharp", replace(start, blend=start.blend / 10)),
        recipe("item_to_item_fast", _faded(start, 0.25)),
        recipe("item_to_item_conditional", replace(start, normalization="conditional")),
    )


def _faded(settings: ItemToItemSettings, factor: float) -> ItemToItemSettings:
    """Return settings with all half-lives multiplied by a factor."""
    return replace(
        settings,
        popularity_half_life_days=settings.popularity_half_life_days * factor,
        pair_half_life_days=settings.pair_half_life_days * factor,
        history_half_life_days=settings.history_half_life_days * factor,
    )
