"""The sentence behind each line of the budget."""

from dataclasses import dataclass

from offline_rl.decisions.budget_settings import BudgetSettings


@dataclass(frozen=True)
class CellStory:
    """The numbers that a reason quotes; ratios are revenue per unit of spend."""

    spend_current_cents: int
    spend_recommended_cents: int
    ess: float
    spread: float
    marginal_now: float
    shadow_price: float
    agreement: float
    is_disputed: bool
    binding_constraint: str


def refused_reason(story: CellStory, settings: BudgetSettings) -> str:
    """Say which evidence is missing, and "" where none is.

    >>> refused_reason(CellStory(900, 900, 3.24, 0.4, 2.0, 1.5, 0.9, False, "none"), BudgetSettings())
    'Only 3.2 independent days of spend are logged, and 7 are needed: the spend stays where it is.'
    """
    if story.ess == 0:
        return f"No money was spent here in {settings.history_days} days: there is nothing to learn from."
    if story.ess < settings.minimum_days:
        return (
            f"Only {story.ess:.1f} independent days of spend are logged, and {settings.minimum_days:g} are "
            "needed: the spend stays where it is."
        )
    if story.spread < settings.minimum_spread:
        return (
            f"The daily spend varied by {story.spread:.1%} only, and {settings.minimum_spread:.0%} is needed "
            "to see what more or less would bring: the spend stays where it is."
        )
    return ""


def decided_reason(story: CellStory, settings: BudgetSettings) -> str:
    """Say why the spend of a cell with enough evidence moves, or doesn't.

    >>> decided_reason(CellStory(100, 112, 30.0, 0.4, 2.0, 1.5, 0.9, False, "none"), BudgetSettings())
    'Raised by 12.0%: the next cent brings 2.00 cents here, 1.50 across the budget (90% of the draws agree).'
    """
    now, then = story.spend_current_cents, story.spend_recommended_cents
    if then != now:
        verb = "Raised" if then > now else "Lowered"
        return (
            f"{verb} by {abs(then - now) / now:.1%}: the next cent brings {story.marginal_now:.2f} cents "
            f"here, {story.shadow_price:.2f} across the budget ({story.agreement:.0%} of the draws agree)."
            + _stop(story, settings)
        )
    if now == 0:
        return (
            "Nothing is spent here now, and spend moves by a share of itself: start it by hand to learn more."
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
