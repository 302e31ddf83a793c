"""The ids of one kind of thing, in the order of the arrays about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.errors import InputDataError


@dataclass(frozen=True)
class Identifiers:
    """Ids and their positions.

    kind: the word that an error uses, e.g. `user`.
    ids: position 0 first.

    >>> Identifiers("item", ("cup", "pan")).positions(["pan", "pan", "cup"])
    array([1, 1, 0])
    """

    kind: str
    ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def _position(self) -> dict[str, int]:
        return {identifier: position for position, identifier in enumerate(self.ids)}

    @cached_property
    def _series(self) -> pl.Series:
        return pl.Series(self.kind, self.ids, dtype=pl.String)

    def positions(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the position of each id. Raises InputDataError for an unknown id."""
        try:
            return np.fromiter((self._position[identifier] for identifier in ids), np.int64, len(ids))
        except KeyError as error:
            raise InputDataError(
                f"The simulated world has no {self.kind} {error}. Ids must come from its own logs, "
                f"before they become pseudonyms."
            ) from error

    def at(self, positions: NDArray[np.int64]) -> pl.Series:
        """Return the ids at these positions."""
        return self._series.gather(positions)
