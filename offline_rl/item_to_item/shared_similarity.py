"""Shared similarity: recipes that differ in their blend alone need not count the same pairs again."""

from dataclasses import dataclass, field

from scipy import sparse

from offline_rl.interactions import Interactions
from offline_rl.item_to_item.history import CappedHistories, capped_histories
from offline_rl.item_to_item.settings import ItemToItemSettings
from offline_rl.item_to_item.similarity import similarity


@dataclass(frozen=True, eq=False)
class Neighborhood:
    """histories: of the log that it was made of. neighbors: S of `similarity`, [I, I]."""

    histories: CappedHistories
    neighbors: sparse.csr_array


@dataclass(eq=False)
class SharedSimilarity:
    """The last neighborhood that was made, for the next recipe that asks for the same; one at a time."""

    _known: Interactions | None = None
    _key: tuple[object, ...] = ()
    _last: Neighborhood | None = field(default=None, repr=False)

    def of(self, known: Interactions, now: int, settings: ItemToItemSettings) -> Neighborhood:
        """Return the neighborhood of a log as of `now`, microseconds."""
        key = (
            now,
            settings.history_cap,
            settings.neighbors,
            settings.normalization,
            settings.shrinkage,
            settings.pair_half_life_days,
        )
        if self._last is None or self._known is not known or self._key != key:
            self._last = None  # the earlier one is freed before the next is made
            histories = capped_histories(known, settings.history_cap)
            self._last = Neighborhood(histories, similarity(histories.acts, now, settings))
            self._known, self._key = known, key
        return self._last
