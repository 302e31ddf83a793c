"""Why the spend of each cell moves or stays, as findings with their numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from features.contracts.findings import Finding, finding
from offline_rl.decisions.budget_settings import BudgetSettings


@dataclass(frozen=True)
class CellStory:
    """The numbers behind the reasons of a cell; ratios are revenue per unit of spend.

    spend_*: cents per day, all days counted. n_active of n_current: days with spend of the cell's last days.
    days_late: by how much its channel's log ends before the shop's, at logged_until. last_spent: its last day
    with spend. usual_spend_cents: mean of its days with spend, and usual_return: what a unit of it earned.
    n_days: length of the log. has_revenue: anything was earned anywhere.
    """

    campaign_id: str
    channel: str
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
    usual_spend_cents: float
    usual_return: float
    shadow_price: float
    n_days: int
    has_revenue: bool


def cell_reasons(story: CellStory, settings: BudgetSettings) -> tuple[Finding, ...]:
    """Return why the spend of a cell moves or stays, and what to know about its days.

    >>> day = date(2026, 2, 1)
    >>> search = CellStory(
    ...     "brand", "search", 100, 112, 30.0, 0.4, 2.0, 0.9, False, "none", 5, 7, 0, day, day, 140.0, 2.0,
    ...     1.5, 56, True
    ... )
    >>> [found.code for found in cell_reasons(search, BudgetSettings())]
    ['spend_raised', 'not_every_day']
    """
    why = _stopped(story) or _refused(story, settings)
    decided = (why,) if why else tuple(_decided(story, settings))
    return (*decided, *_of_days(story))


def _stopped(story: CellStory) -> Finding | None:
    """Return what a cell that spends nothing now did when it spent; None if it spends, or never did."""
    if story.last_spent is None or story.spend_current_cents > 0 or story.spend_recommended_cents > 0:
        return None
    return finding(
        "spend_stopped",
        story.campaign_id,
        last_spent=story.last_spent.isoformat(),
        usual_spend_cents=story.usual_spend_cents,
        usual_return=story.usual_return,
    )


def _refused(story: CellStory, settings: BudgetSettings) -> Finding | None:
    """Which evidence is missing; None where none is."""
    campaign = story.campaign_id
    if story.last_spent is None:
        return finding("never_spent", campaign, n_days=story.n_days)
    if not story.has_revenue:
        return finding("nothing_earned", campaign, n_days=story.n_days)
    if story.ess < settings.minimum_days:
        return finding("few_days_of_spend", campaign, n_days=story.ess, least=settings.minimum_days)
    if story.spread < settings.minimum_spread:
        return finding("little_variation", campaign, spread=story.spread, least=settings.minimum_spread)
    return None


def _decided(story: CellStory, settings: BudgetSettings) -> Iterator[Finding]:
    """Why the spend of a cell with enough evidence moves or does not, and what limits it."""
    campaign, now, then = story.campaign_id, story.spend_current_cents, story.spend_recommended_cents
    if then != now:
        yield finding(
            "spend_raised" if then > now else "spend_lowered",
            campaign,
            change=abs(then - now) / now,
            marginal_roas=story.marginal_now,
            shadow_price=story.shadow_price,
            agreement=story.agreement,
        )
    elif story.is_disputed:
        yield finding(
            "direction_unknown", campaign, agreement=story.agreement, least=settings.minimum_agreement
        )
        return
    else:
        yield finding("spend_is_best", campaign)
    if story.binding_constraint == "support":
        yield finding("highest_day_stops", campaign)
    elif story.binding_constraint in ("spend_min", "spend_max"):
        yield finding("move_limit_stops", campaign, move_limit=settings.move_limit)


def _of_days(story: CellStory) -> Iterator[Finding]:
    """Return what to know of the days that the amounts rest on."""
    if 0 < story.n_active < story.n_current and story.spend_current_cents > 0:
        yield finding("not_every_day", story.campaign_id, n_active=story.n_active, n_current=story.n_current)
    if story.days_late:
        yield finding(
            "channel_log_ends_early",
            story.channel,
            logged_until=story.logged_until.isoformat(),
            n_days=story.days_late,
        )
