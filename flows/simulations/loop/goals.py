"""The goals of closed loops, judged by true value; a goal that these days can't judge says why.

Of metacart's loops alone:

    gap_closed         after 20 nights at least 80 % of the gap between the first policy and the best slates
                       that the features allow, in mild and strong; mean of the last nights
    mean_never_lower   on no night is the mean over shops more than 1 % below the first policy's
    no_shop_lower      over its nights, no shop is more than 5 % below it
    recovery           of the share of the gap that a shift of tastes costs on the first night that meets it,
                       half is back five nights later
    coverage           0.95 lies in the interval of the coverage of the nights' 95 % intervals
    false_promotions   at most one in 10 null shops of 60 nights

Always with the same share of uniform slates on both sides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import get_args

from features.simulator.preferences import SHIFT_DAY
from features.simulator.settings import WorldName
from flows.simulations.loop.coverage import CONFIDENCE, coverage
from flows.simulations.loop.gap import change, gap_closed, of_each_shop
from flows.simulations.loop.loop_day import FIRST_DAYS, LoopDay
from flows.simulations.loop.table import LAST, last_nights
from reports.summaries.loop_outcome import Goal, GoalName, Judgement, WhyNot

SHIFT_NIGHT = SHIFT_DAY - FIRST_DAYS + 1
"""The night whose list is the first to meet the new tastes: that of night k, from 1, is shown on day
FIRST_DAYS + k - 1, from 0."""

GAP_WORLDS: tuple[WorldName, ...] = ("mild", "strong")
GAP, GAP_NIGHTS = 0.80, 20
MEAN_LOSS, SHOP_LOSS = 0.01, 0.05
RECOVERED, RECOVERY_NIGHTS = 0.5, 5
LEAST_LOST = 0.05
"""Share of the gap that a shift must cost at least: half of less can't be told from how single days vary."""

FALSE_PROMOTIONS, NULL_SHOPS, NULL_NIGHTS = 1, 10, 60

ASKED: Mapping[GoalName, Mapping[str, float]] = {
    "gap_closed": {"asked": GAP, "n_asked": GAP_NIGHTS},
    "mean_never_lower": {"asked": MEAN_LOSS},
    "no_shop_lower": {"asked": SHOP_LOSS},
    "recovery": {"asked": RECOVERED, "n_asked": RECOVERY_NIGHTS},
    "coverage": {"asked": CONFIDENCE},
    "false_promotions": {"n_allowed": FALSE_PROMOTIONS, "n_asked_shops": NULL_SHOPS, "n_asked": NULL_NIGHTS},
}
"""What each goal asks for: shares as floats, counts as integers."""


def judge_goals(days: Sequence[LoopDay]) -> tuple[Goal, ...]:
    """Return the goals, each in every world that it is of; those of all worlds in the worlds that ran."""
    run = [world for world in get_args(WorldName) if any(day.world == world for day in days)]
    return (
        *(_in(world, "gap_closed", days) for world in GAP_WORLDS),
        *(_in(world, "mean_never_lower", days) for world in run),
        *(_in(world, "no_shop_lower", days) for world in run),
        _in("shift", "recovery", days),
        *(_in(world, "coverage", days) for world in run),
        _in("null", "false_promotions", days),
    )


def _in(world: str, name: GoalName, days: Sequence[LoopDay]) -> Goal:
    of_world = [day for day in days if day.world == world]
    if not of_world:
        return _judged(name, world, False, {}, "world_not_run")
    of_metacart = [day for day in of_world if day.way == "metacart"]
    if not of_metacart:
        return _judged(name, world, False, {}, "way_not_run")
    return _JUDGES[name](world, of_metacart)


def _gap_closed(world: str, days: Sequence[LoopDay]) -> Goal:
    nights = _nights(days)
    last = last_nights(days)
    share = gap_closed(last)
    if share is None:
        return _judged("gap_closed", world, False, {}, "nothing_to_gain")
    of_shops = [found for shop in of_each_shop(last) if (found := gap_closed(shop)) is not None]
    figures = {
        "share": share,
        "least": min(of_shops),
        "greatest": max(of_shops),
        "n_shops": len(of_shops),
        "n_nights": nights,
        "n_least": GAP_NIGHTS,
        "n_last": min(LAST, nights),
    }
    return _judged("gap_closed", world, share >= GAP, figures, "few_nights" if nights < GAP_NIGHTS else None)


def _mean_never_lower(world: str, days: Sequence[LoopDay]) -> Goal:
    by_night = {
        night: change([day for day in days if day.night == night])
        for night in sorted({day.night for day in days})
    }
    worst = min(by_night, key=by_night.__getitem__)
    figures = {
        "change": by_night[worst],
        "overall": change(days),
        "night": worst,
        "n_shops": len(of_each_shop(days)),
        "n_nights": _nights(days),
    }
    return _judged("mean_never_lower", world, by_night[worst] >= -MEAN_LOSS, figures)


def _no_shop_lower(world: str, days: Sequence[LoopDay]) -> Goal:
    of_shops = [change(shop) for shop in of_each_shop(days)]
    figures = {
        "change": min(of_shops),
        "single": min(change([day]) for day in days),
        "n_shops": len(of_shops),
        "n_nights": _nights(days),
    }
    return _judged("no_shop_lower", world, min(of_shops) >= -SHOP_LOSS, figures)


def _recovery(world: str, days: Sequence[LoopDay]) -> Goal:
    until = SHIFT_NIGHT + RECOVERY_NIGHTS
    if (nights := _nights(days)) < until:
        return _judged("recovery", world, False, {"n_nights": nights, "n_least": until}, "few_nights")
    before, after, later = (
        gap_closed([day for day in days if day.night in span]) or 0.0
        for span in (range(SHIFT_NIGHT - LAST, SHIFT_NIGHT), (SHIFT_NIGHT,), (until,))
    )
    figures = {
        "before": before,
        "after": after,
        "later": later,
        "night": SHIFT_NIGHT,
        "n_shops": len(of_each_shop(days)),
    }
    if before - after < LEAST_LOST:
        return _judged("recovery", world, False, figures, "nothing_lost")
    share = (later - after) / (before - after)
    return _judged("recovery", world, share >= RECOVERED, figures | {"share": share})


def _coverage(world: str, days: Sequence[LoopDay]) -> Goal:
    found = coverage(days)
    if found is None:
        return _judged("coverage", world, False, {}, "no_intervals")
    is_compatible = found.lower <= CONFIDENCE <= found.upper
    return replace(_judged("coverage", world, is_compatible, {}), coverage=found)


def _false_promotions(world: str, days: Sequence[LoopDay]) -> Goal:
    promotions = sum(day.verdict == "promote" for day in days)
    shops, nights = of_each_shop(days), _nights(days)
    figures = {
        "n_promotions": promotions,
        "n_shops": len(shops),
        "n_nights": nights,
    }
    why: WhyNot | None = None
    # More than are allowed in all of them are too many in some of them.
    if promotions <= FALSE_PROMOTIONS and (len(shops) < NULL_SHOPS or nights < NULL_NIGHTS):
        why = "few_shops"
    return _judged("false_promotions", world, promotions <= FALSE_PROMOTIONS, figures, why)


_JUDGES = {
    "gap_closed": _gap_closed,
    "mean_never_lower": _mean_never_lower,
    "no_shop_lower": _no_shop_lower,
    "recovery": _recovery,
    "coverage": _coverage,
    "false_promotions": _false_promotions,
}


def _judged(
    name: GoalName, world: str, is_met: bool, figures: Mapping[str, float], why: WhyNot | None = None
) -> Goal:
    judgement: Judgement = "not_judged" if why else "met" if is_met else "not_met"
    return Goal(name, world, judgement, {**ASKED[name], **figures}, why)


def _nights(days: Sequence[LoopDay]) -> int:
    return max(day.night for day in days)
