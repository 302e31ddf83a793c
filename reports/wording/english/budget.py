"""English: the budget, for its page, the overview and the terminal."""

from collections.abc import Mapping

_CAUTIOUS = "the plan is cautious: no budget line moves by more than {limit}"

TEXTS: Mapping[str, str] = {
    "budget.title": "Budget",
    "budget.what": "the ad budget",
    "budget.on_terminal": "budget: {sentences}",
    "budget.unit": "{currency} per day",
    "budget.unit_unknown": "per day, in units of the currency",
    "budget_status.moved": "moved",
    "budget_status.held": "held",
    "budget_status.refused": "refused",
    "budget_method.curves": "the curves",
    "budget_method.same_return": "last week's return",
    "budget_method.same_revenue": "last week's revenue",
    "budget.n_lines": "{n_lines} budget lines",
    "budget.n_lines.one": "1 budget line",
    "budget.change.only": "the only budget line changes",
    "budget.change": "{n_moved} of {lines} change",
    "budget.change.one": "{n_moved} of {lines} changes",
    "budget.no_move": "No money moves tonight: {current} a day stays as it is.",
    "budget.move": "Move {moved} a day at the same total of {current}: {change}.",
    "budget.new_total": "Total spend goes from {current} to {recommended} a day: {change}.",
    "budget.revenue": "Expected revenue a day: {current}.",
    "budget.revenue_of_plan": (
        "Expected revenue a day: {current} at today's spend, {expected} under the plan."
    ),
    "budget.no_gain": "No gain is promised.",
    "budget.gain_at_same_spend": "Expected gain {amount} a day ({interval}), at the same spend.",
    "budget.gain_at_new_total": "Expected gain {amount} a day ({interval}), with the change of the total.",
    "budget.gain_not_shown": "The interval contains zero: the gain is not shown.",
    "budget.no_limit": "No budget line stops at a limit.",
    "budget.limit.only": (
        "The only budget line stops at a limit: {limit} a night, or the highest spend of a logged day."
    ),
    "budget.limit": (
        "{n_at_limit} of {lines} stop at a limit: {limit} a night, or the highest spend of a logged day."
    ),
    "budget.limit.one": (
        "{n_at_limit} of {lines} stops at a limit: {limit} a night, or the highest spend of a logged day."
    ),
    "budget.refused": "{n_refused} of {n_lines} budget lines have logs that say too little to move them.",
    "budget.refused.one": "{n_refused} of 1 budget line has a log that says too little to move it.",
    "budget.certificate": (
        "On the fitted curves and within the limits, no allocation earns over {gap} more than this one "
        "(certified)."
    ),
    "budget.shadow_price": "One more unit of total budget would bring about {price} units of revenue.",
    "budget.late": (
        "The log of {channel} ends on {until}, {n_days} days before the others'. These days are not counted "
        "as days without spend: what it spends today is the mean of its own last days."
    ),
    "budget.late.one": (
        "The log of {channel} ends on {until}, 1 day before the others'. These days are not counted as days "
        "without spend: what it spends today is the mean of its own last days."
    ),
    "budget.last_week": (
        "For {first} to {last} the days before predicted {predicted} a day; it earned {earned} ({miss})."
    ),
    "budget.too_short_to_test": (f"The log is too short to hold out a week and predict it, so {_CAUTIOUS}."),
    "budget.tested": (
        "Tested on the last {n_weeks} weeks, each held out: the curves missed {miss} of a line's revenue, "
        "{rivals}."
    ),
    "budget.tested.one": (
        "Tested on the last week, each held out: the curves missed {miss} of a line's revenue, {rivals}."
    ),
    "budget.rival": "{method} {miss}",
    "budget.no_better": f"The curves did not predict better than these, so {_CAUTIOUS}.",
    "budget.none_moves": "No budget line moves: today's spend is kept.",
    "budget.grows": "{line} grows most.",
    "budget.gives_up": "{line} gives up most.",
    "budget.grows_and_gives_up": "{growing} grows most; {shrinking} gives up most.",
    "budget.more_lines": "{n_lines} more budget lines",
    "budget.more_lines.one": "1 more budget line",
    "budget.totals_hint": (
        "Totals and channels count all days and are exact in spend. Amounts of a budget line are of a day on "
        "which it spends. Intervals are of the mean of the next seven days; those of totals are of the sums "
        "themselves, not sums of intervals. Refused lines are in the totals and carry no promise of their "
        "own."
    ),
    "budget.scenario": "(Scenario: {scenario}.)",
    "budget.backtest_hint": (
        "Each week was held out, and predicted from the days before it and from what it spent. The miss per "
        "line adds up what each line was off, in shares of what all earned. Last week's return expects of "
        "every unit of spend what a unit earned in the line's last seven days with spend; last week's "
        "revenue expects the same revenue whatever is spent."
    ),
    "budget.fact.spend": "Total spend a day",
    "budget.fact.spend_unchanged": "{spend}, unchanged",
    "budget.fact.spend_then": "{spend}, then {then}",
    "budget.fact.revenue": "Expected revenue a day",
    "budget.fact.revenue_then": "{now} at today's spend, {then} by the plan",
    "budget.fact.gain": "Gain a day",
    "budget.fact.limit": "Budget lines that stop at a limit",
    "budget.all_lines": "All lines",
    "budget.all_lines_all_days": "All lines, all days",
    "budget.all_weeks": "All weeks",
    "budget.days": "{first} to {last}",
    "budget.change_with_share": "{change} ({share})",
}
