"""The sentences behind each line of the budget."""

from dataclasses import dataclass
from datetime import date

from offline_rl.decisions.budget_settings import BudgetSettings


@dataclass(frozen=True)
class CellStory:
    """The numbers that a reason quotes; ratios are revenue per unit of spend.

    spend_*: cents per day, all days counted. n_active of n_current: days with spend of the cell's last days.
    days_late: by how much its channel's log ends before the shop's, at logged_until. last_spent: its last day
    with spend. usual_spend: in units of the currency, mean of its days with spend, and usual_return: what a
    unit of it earned. n_days: length of the log.
    has_revenue: anything was earned anywhere.
    """

    spend_current_cents: int
    spend_recommended_cents: int
    ess: float
    spread: float
    marginal_now: float
    agreement: float
    is_disputed: bool
    binding_constraint: str
    n_active: int
    n_current: int
    days_late: int
    logged_until: date
    last_spent: date | None
    usual_spend: float
    usual_return: float
    shadow_price: float
    n_days: int
    has_revenue: bool


def cell_reason(story: CellStory, settings: BudgetSettings) -> str:
    """Say why the spend of a cell moves or stays, and what to know about its days.

    >>> day = date(2026, 2, 1)
    >>> search = CellStory(
    ...     100, 112, 30.0, 0.4, 2.0, 0.9, False, "none", 5, 7, 0, day, day, 1.4, 2.0, 1.5, 56, True
    ... )
    >>> print(cell_reason(search, BudgetSettings()).replace(". ", ".\\n"))
    Raised by 12.0%: the next cent brings 2.00 cents here, 1.50 across the budget (90% of the draws agree).
    It spent on 5 of its last 7 days, and amounts are of a day with spend.
    """
    said = _stopped(story) or _refused(story, settings) or _decided(story, settings)
    return said + _pauses(story) + _late(story)


def _stopped(story: CellStory) -> str:
    """What a cell that spends nothing now did when it spent; "" for one that spends, or never did."""
    if story.last_spent is None or story.spend_current_cents > 0 or story.spend_recommended_cents > 0:
        return ""
    return (
        f"Nothing is spent here now, the last time was {story.last_spent}: {story.usual_spend:,.2f} on a "
        f"usual day with spend, at a return of {story.usual_return:.2f}. Spend moves by a share of itself: "
        "start it by hand to learn more."
    )


def _refused(story: CellStory, settings: BudgetSettings) -> str:
    """Which evidence is missing, and "" where none is."""
    if story.last_spent is None:
        return f"No money was spent here in {story.n_days} days: there is nothing to learn from."
    if not story.has_revenue:
        return (
            f"No revenue is logged anywhere in {story.n_days} days, so no spend is better than another: the "
            "spend stays where it is."
        )
    if story.ess < settings.minimum_days:
        return (
            f"Only {story.ess:.1f} independent days of spend are logged, and {settings.minimum_days:g} are "
            "needed: the spend stays where it is."
        )
    if story.spread < settings.minimum_spread:
        return (
            f"The daily spend varied by {story.spread:.1%} only, and {settings.minimum_spread:.0%} is needed "
            "within a week to see what more or less would bring: the spend stays where it is."
        )
    return ""


def _decided(story: CellStory, settings: BudgetSettings) -> str:
    """Why the spend of a cell with enough evidence moves, or doesn't."""
    now, then = story.spend_current_cents, story.spend_recommended_cents
    if then != now:
        verb = "Raised" if then > now else "Lowered"
        return (
            f"{verb} by {abs(then - now) / now:.1%}: the next cent brings {story.marginal_now:.2f} cents "
            f"here, {story.shadow_price:.2f} across the budget ({story.agreement:.0%} of the draws agree)."
            + _stop(story, settings)
        )
    if story.is_disputed:
        return (
            "The logs don't say whether the next cent brings more here or elsewhere "
            f"({story.agreement:.0%} of the draws agree, {settings.minimum_agreement:.0%} are needed): "
            "the spend stays where it is."
        )
    return "The current spend is the best within the limits." + _stop(story, settings)


def _stop(story: CellStory, settings: BudgetSettings) -> str:
    if story.binding_constraint == "support":
        return " The highest spend of a logged day stops it: beyond that nothing is known."
    if story.binding_constraint in ("spend_min", "spend_max"):
        return f" The limit of {settings.move_limit:.0%} a night stops it."
    return ""


def _pauses(story: CellStory) -> str:
    if 0 < story.n_active < story.n_current and story.spend_current_cents > 0:
        return (
            f" It spent on {story.n_active} of its last {story.n_current} days, and amounts are of a day "
            "with spend."
        )
    return ""


def _late(story: CellStory) -> str:
    if story.days_late == 0:
        return ""
    days = "1 day" if story.days_late == 1 else f"{story.days_late} days"
    return (
        f" The log of its channel ends on {story.logged_until}, {days} before the shop's: those days are not "
        "known, and today's spend is that of its own last days."
    )
