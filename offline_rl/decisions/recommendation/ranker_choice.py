"""Which ranker serves where nothing that was shown is logged: chosen on one window, tried on the next.

The one that was chosen must still beat popularity on the test window; else popularity serves. So the interval
of what serves is one that was asked to lie above zero. Where no window can be measured, popularity serves as
well: what was not seen to win does not serve.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from features.contracts.findings import Finding, finding
from offline_rl.decisions.recommendation.shop_acts import ShopActs
from offline_rl.interactions import DAY
from offline_rl.item_to_item.recipes import BASELINE, RIVALS, grid
from offline_rl.ranking.choice import CHOSEN_BY, choose, measured
from offline_rl.ranking.quality import CUTOFFS, RankerQuality
from offline_rl.ranking.ranker import Recipe
from offline_rl.ranking.time_windows import no_validation, time_windows

WINDOW_SHARE, MOST_WINDOW_DAYS = 0.2, 28.0
"""Length of each of the two windows: this share of the log, and at most this many days."""


@dataclass(frozen=True)
class RankerChoice:
    """ranker: name of the one that serves. rows: what was measured. why: what readers must know of it."""

    ranker: str
    rows: Sequence[RankerQuality]
    why: tuple[Finding, ...]


def recipe_of(name: str) -> Recipe:
    """Return a recipe by its name; raises KeyError for a name that no recipe has."""
    return {recipe.name: recipe for recipe in grid()}[name]


def choose_ranker(acts: ShopActs, domain: str, *, confidence: float = 0.95) -> RankerChoice:
    """Choose the ranker of an area from its acts alone."""
    log = acts.interactions
    days = min(MOST_WINDOW_DAYS, WINDOW_SHARE * float(log.moment.max() - log.moment.min()) / DAY)
    if not days > 0:
        return RankerChoice(BASELINE.name, (), (finding("one_moment", domain),))
    windows = time_windows(log, validation_days=days, test_days=days)
    if isinstance(windows, Finding):
        return RankerChoice(BASELINE.name, (), (windows,))
    by_validation = partial(choose, baseline=BASELINE.name, is_shown=acts.is_shown, confidence=confidence)
    on_test = partial(measured, baseline=BASELINE.name, is_shown=acts.is_shown, confidence=confidence)
    rows: list[RankerQuality] = []
    chosen, why = BASELINE.name, list[Finding]()
    if few := no_validation(log, windows):
        why.append(few)
    else:
        # Without users there is one list for all visitors, so a ranking by the visitor can't serve.
        choice = by_validation(grid() if len(acts.users) else RIVALS, log, windows)
        chosen, rows = choice.chosen, list(choice.rows)
    asked = dict.fromkeys([*(recipe.name for recipe in RIVALS), chosen])
    tested = on_test([recipe_of(name) for name in asked], log, windows, chosen=chosen)
    served = chosen if _wins(tested, chosen) else BASELINE.name
    if served != chosen:
        why.append(finding("ranker_not_better", chosen, baseline=BASELINE.name))
    marked = [replace(row, is_chosen=row.ranker == served, domain=domain) for row in (*rows, *tested)]
    return RankerChoice(served, marked, tuple(why))


def _wins(rows: Sequence[RankerQuality], name: str) -> bool:
    """Whether the interval of a ranker's difference to popularity lies above zero."""
    of = (row for row in rows if (row.ranker, row.metric, row.cutoff) == (name, CHOSEN_BY, CUTOFFS[0]))
    return any(row.difference_lower is not None and row.difference_lower > 0 for row in of)
