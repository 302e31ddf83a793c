"""Outcomes of loops for the page: every goal judged and not judged, every world and way."""

from reports.summaries.loop_outcome import (
    ClosedGate,
    Coverage,
    Goal,
    LoopOutcome,
    NightLine,
    WayRow,
    WorldOutcome,
)

COVERED = Coverage(0.93, 0.88, 0.98, 60, 3, "t_over_shops")


def way_row(
    way: str, world: str = "mild", *, covered: Coverage | None = None, gap: float | None = 0.83
) -> WayRow:
    return WayRow(world, way, 3, 2, 0.0831, 0.0591, 0.0601, 0.0903, gap, 0.31, -0.021, 1, covered)


MILD = WorldOutcome(
    world="mild",
    n_nights=2,
    n_common=2,
    lines=tuple(
        NightLine(name, (0.06 + place / 1000, 0.07 + place / 1000))
        for place, name in enumerate(("metacart", "no_exploration", "pooled", "thompson", "first", "oracle"))
    ),
    jump=None,
    rows=(
        way_row("metacart", covered=COVERED),
        way_row("no_exploration"),
        way_row("pooled"),
        way_row("thompson"),
    ),
    n_closed=5,
    closed=(ClosedGate("no_gain_shown", 4), ClosedGate("later_look", 3)),
)
SHIFT = WorldOutcome(
    "shift",
    9,
    1,
    (NightLine("metacart", (0.06,) * 9),),
    8,
    (way_row("metacart", "shift", covered=Coverage(1.0, 0.29, 1.0, 9, 3, "shops_alike")),),
    0,
    (),
)
APART = WorldOutcome("null", 2, 0, (), None, (way_row("pooled", "null", gap=None),), 0, ())
ALIKE = WorldOutcome(
    "null", 2, 1, (NightLine("pooled", (0.06, 0.06)),), None, (way_row("pooled", "null", gap=None),), 0, ()
)

GAP = {"asked": 0.8, "n_asked": 20, "n_least": 20, "share": 0.83, "least": 0.7, "greatest": 0.9}
GAP |= {"n_shops": 3, "n_nights": 20, "n_last": 5}
MEAN = {"asked": 0.01, "change": -0.021, "overall": 0.3, "night": 2, "n_shops": 3, "n_nights": 20}
SHOP = {"asked": 0.05, "change": -0.06, "single": -0.08, "n_shops": 3, "n_nights": 20}
BACK = {"asked": 0.5, "n_asked": 5, "before": 0.6, "after": 0.2, "later": 0.5, "night": 8, "n_shops": 3}
FALSE = {"n_allowed": 1, "n_asked_shops": 10, "n_asked": 60, "n_promotions": 0, "n_shops": 3, "n_nights": 20}
RATE = {"asked": 0.95}

GOALS = (
    Goal("gap_closed", "mild", "met", GAP),
    Goal("gap_closed", "strong", "not_judged", GAP, "few_nights"),
    Goal("gap_closed", "strong", "not_judged", {"asked": 0.8, "n_asked": 20}, "nothing_to_gain"),
    Goal("mean_never_lower", "mild", "not_met", MEAN),
    Goal("no_shop_lower", "mild", "not_met", SHOP),
    Goal("recovery", "shift", "met", BACK | {"share": 0.75}),
    Goal("recovery", "shift", "not_judged", BACK, "nothing_lost"),
    Goal(
        "recovery",
        "shift",
        "not_judged",
        {"asked": 0.5, "n_asked": 5, "n_least": 13, "n_nights": 9},
        "few_nights",
    ),
    Goal("recovery", "shift", "not_judged", {"asked": 0.5, "n_asked": 5}, "way_not_run"),
    Goal("coverage", "mild", "met", RATE, None, COVERED),
    Goal("coverage", "shift", "met", RATE, None, Coverage(1.0, 0.29, 1.0, 9, 3, "shops_alike")),
    Goal("coverage", "drift", "not_met", RATE, None, Coverage(0.5, 0.3, 0.7, 20, 1, "one_shop")),
    Goal("coverage", "null", "not_judged", RATE, "no_intervals"),
    Goal("false_promotions", "null", "not_judged", FALSE, "few_shops"),
    Goal("false_promotions", "null", "not_judged", FALSE, "world_not_run"),
)

LOOPS = LoopOutcome(600, 14, 2, (MILD, SHIFT, APART), GOALS)
NULLS = LoopOutcome(150, 14, 1, (ALIKE,), GOALS[-1:])
