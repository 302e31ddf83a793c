"""What is said of a budget, with its caution; the page and the terminal print the same sentences.

Amounts arrive written, with their currency.
"""

from collections.abc import Mapping

from reports.wording.catalog import Catalog


def decision(
    moved: str, current: str, recommended: str, catalog: Catalog, *, n_moved: int, n_lines: int
) -> str:
    """Return what happens to the budget."""
    if current == recommended and n_moved == 0:
        return catalog.text("budget.no_move", current=current)
    change = (
        catalog.text("budget.change.only")
        if n_moved == n_lines == 1
        else catalog.text("budget.change", n_moved=n_moved, lines=_lines(n_lines, catalog))
    )
    if current == recommended:
        return catalog.text("budget.move", moved=moved, current=current, change=change)
    return catalog.text("budget.new_total", current=current, recommended=recommended, change=change)


def expectation(current: str, expected: str, catalog: Catalog, *, has_moves: bool) -> str:
    """Return expected revenue at today's spend and under the plan, each with its interval."""
    if not has_moves:
        return catalog.text("budget.revenue", current=current)
    return catalog.text("budget.revenue_of_plan", current=current, expected=expected)


def gain(
    amount: str, interval: str, catalog: Catalog, *, has_moves: bool, crosses_zero: bool, same_total: bool
) -> str:
    """Return what the plan gains, with its interval."""
    if not has_moves:
        return catalog.text("budget.no_gain")
    key = "budget.gain_at_same_spend" if same_total else "budget.gain_at_new_total"
    doubt = catalog.text("budget.gain_not_shown") if crosses_zero else ""
    return catalog.paragraph(catalog.text(key, amount=amount, interval=interval), doubt)


def limits(n_at_limit: int, n_lines: int, limit: str, catalog: Catalog) -> str:
    """Return how many lines stop at a limit."""
    if n_at_limit == 0:
        return catalog.text("budget.no_limit")
    if n_at_limit == n_lines == 1:
        return catalog.text("budget.limit.only", limit=limit)
    return catalog.text("budget.limit", n_at_limit=n_at_limit, lines=_lines(n_lines, catalog), limit=limit)


def refused(n_refused: int, n_lines: int, catalog: Catalog) -> str:
    """Return how many lines have logs that say too little to move them; "" for none."""
    return catalog.text("budget.refused", n_refused=n_refused, n_lines=n_lines) if n_refused else ""


def certificate(gap: str | None, shadow_price: str | None, catalog: Catalog) -> str:
    """Return the optimality certificate and the shadow price in words."""
    return catalog.paragraph(
        "" if gap is None else catalog.text("budget.certificate", gap=gap),
        "" if shadow_price is None else catalog.text("budget.shadow_price", price=shadow_price),
    )


def backtest(
    misses: Mapping[str, str], n_weeks: int, catalog: Catalog, *, is_cautious: bool, limit: str
) -> str:
    """Return how the curves compare with the plain predictions, and what follows for the plan.

    misses: method → share of the lines' revenue that it missed, as text; empty without a held-out week.
    """
    if not misses:
        return catalog.text("budget.too_short_to_test", limit=limit)
    rivals = [
        catalog.text("budget.rival", method=catalog.text(f"budget_method.{name}"), miss=miss)
        for name, miss in misses.items()
        if name != "curves"
    ]
    tested = catalog.text(
        "budget.tested", n_weeks=n_weeks, miss=misses["curves"], rivals=catalog.listed(rivals)
    )
    return catalog.paragraph(tested, catalog.text("budget.no_better", limit=limit) if is_cautious else "")


def moves_conclusion(growing: str, shrinking: str, catalog: Catalog) -> str:
    """Return which lines move most, biggest moves first; empty names where none moves that way."""
    if growing and shrinking:
        return catalog.text("budget.grows_and_gives_up", growing=growing, shrinking=shrinking)
    if growing:
        return catalog.text("budget.grows", line=growing)
    return catalog.text("budget.gives_up", line=shrinking) if shrinking else catalog.text("budget.none_moves")


def _lines(n_lines: int, catalog: Catalog) -> str:
    return catalog.text("budget.n_lines", n_lines=n_lines)
