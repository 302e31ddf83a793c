"""All that loops have shown, for their page: goals, lines, tables, and why the gate stayed closed."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean

from flows.simulations.loop.goals import SHIFT_NIGHT, judge_goals
from flows.simulations.loop.loop_day import FIRST_DAYS, LoopDay
from flows.simulations.loop.table import LAST, way_rows
from reports.summaries.loop_outcome import ClosedGate, LoopOutcome, NightLine, WayRow, WorldOutcome


def loop_outcome(days: Sequence[LoopDay], *, users: int) -> LoopOutcome:
    """Return what the loops of shops with this many users have shown; worlds in the order of the days."""
    rows = way_rows(days)
    worlds = dict.fromkeys(day.world for day in days)
    return LoopOutcome(
        users=users,
        first_days=FIRST_DAYS,
        n_last=min(LAST, max(day.night for day in days)),
        worlds=tuple(
            _world(world, [day for day in days if day.world == world], [r for r in rows if r.world == world])
            for world in worlds
        ),
        goals=judge_goals(days),
    )


def _world(world: str, days: Sequence[LoopDay], rows: Sequence[WayRow]) -> WorldOutcome:
    nights = max(day.night for day in days)
    common = set.intersection(*({day.seed for day in days if day.way == row.way} for row in rows))
    closed = [day for day in days if day.way == "metacart" and day.verdict not in ("", "promote")]
    codes = Counter(code for day in closed for code in day.reason_codes.split())
    return WorldOutcome(
        world=world,
        n_nights=nights,
        n_common=len(common),
        lines=_lines([day for day in days if day.seed in common], [row.way for row in rows]),
        jump=SHIFT_NIGHT if world == "shift" and nights >= SHIFT_NIGHT else None,
        rows=tuple(rows),
        n_closed=len(closed),
        closed=tuple(ClosedGate(code, n) for code, n in codes.most_common()),
    )


def _lines(days: Sequence[LoopDay], ways: Sequence[str]) -> tuple[NightLine, ...]:
    """Return a line for each way, then the first policy, and the oracle that explores as the first way."""
    if not days:
        return ()
    nights = range(1, max(day.night for day in days) + 1)
    of_way = {way: [day for day in days if day.way == way] for way in ways}
    beside = of_way[ways[0]]
    return (
        *(
            NightLine(way, tuple(fmean(day.served for day in found if day.night == one) for one in nights))
            for way, found in of_way.items()
        ),
        NightLine("first", tuple(fmean(day.first for day in beside if day.night == one) for one in nights)),
        NightLine("oracle", tuple(fmean(day.oracle for day in beside if day.night == one) for one in nights)),
    )
