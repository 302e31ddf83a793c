"""Choice: which ranker serves, by one metric on a window that ends where the test window begins.

The best of several looks better than it is on the window that chose it. So the table of the choice shows what
lost, and what the chosen one is worth is said by the test window, which the choice has not looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from features.contracts.findings import Finding
from offline_rl.interactions import Bools, Interactions
from offline_rl.ranking.quality import CUTOFFS, LaterWindow, RankerQuality, compared, ranked
from offline_rl.ranking.ranker import Recipe
from offline_rl.ranking.time_windows import FEWEST_USERS, TimeWindows, no_validation

CHOSEN_BY = "ndcg"
"""The metric that chooses, at the first cutoff."""


@dataclass(frozen=True)
class Choice:
    """chosen: name of the recipe. rows: all recipes on the validation window, the chosen one marked.

    why_not: the finding `no_validation_window` where that window has too few users: then the first recipe
    stands, and there are no rows. None elsewhere.
    """

    chosen: str
    rows: Sequence[RankerQuality]
    why_not: Finding | None = None


def choose(
    recipes: Sequence[Recipe],
    acts: Interactions,
    windows: TimeWindows,
    *,
    baseline: str,
    cutoffs: Sequence[int] = CUTOFFS,
    is_shown: Bools | None = None,
    confidence: float = 0.95,
    fewest_users: int = FEWEST_USERS,
) -> Choice:
    """Choose the recipe with the highest NDCG on the validation window; of equal ones the earlier one.

    Each is fitted to what was known when that window began. Put plain recipes first: they win ties, and the
    first one stands where fewer than `fewest_users` bought in the window.
    Raises ValueError as `compared` and `ranked` do.
    """
    if why_not := no_validation(acts, windows, fewest_users):
        return Choice(recipes[0].name, (), why_not)
    window = LaterWindow.of(acts, windows.validation_from, windows.test_from)
    rows = compared(
        ranked(recipes, window, max(cutoffs), is_shown),
        window,
        baseline=baseline,
        cutoffs=cutoffs,
        is_shown=is_shown,
        confidence=confidence,
    )
    by = {row.ranker: row.value or 0.0 for row in rows if (row.metric, row.cutoff) == (CHOSEN_BY, cutoffs[0])}
    chosen = max(by, key=lambda name: by[name])
    return Choice(chosen, [_marked(row, chosen) for row in rows])


def measured(
    recipes: Sequence[Recipe],
    acts: Interactions,
    windows: TimeWindows,
    *,
    baseline: str,
    chosen: str,
    cutoffs: Sequence[int] = CUTOFFS,
    is_shown: Bools | None = None,
    confidence: float = 0.95,
) -> list[RankerQuality]:
    """Return the rows of the test window, of recipes fitted anew to all that was known when it began.

    Give the plain rivals and the chosen recipe: whatever else was tried belongs to the validation window.
    """
    window = LaterWindow.of(acts, windows.test_from, windows.test_until)
    return compared(
        ranked(recipes, window, max(cutoffs), is_shown),
        window,
        baseline=baseline,
        chosen=chosen,
        cutoffs=cutoffs,
        is_shown=is_shown,
        confidence=confidence,
    )


def _marked(row: RankerQuality, chosen: str) -> RankerQuality:
    return replace(row, is_chosen=row.ranker == chosen)
