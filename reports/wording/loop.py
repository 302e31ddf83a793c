"""What is said of the goals of closed loops."""

from reports.summaries.loop_outcome import Coverage, Goal, WorldOutcome
from reports.wording.catalog import Catalog

_SIGNED = ("change", "overall", "single")
"""Figures that are changes; other figures that are no counts are shares."""


def goal_asked(goal: Goal, catalog: Catalog) -> str:
    """Return what the goal asks for."""
    return catalog.text(f"goal.asked.{goal.name}", world=goal.world, **_written(goal, catalog))


def goal_found(goal: Goal, catalog: Catalog) -> str:
    """Return what was found; where the goal can't be judged, why, and what is known so far."""
    if goal.why is None:
        return _found(goal, catalog)
    why = catalog.text(f"goal.why.{goal.why}", **_written(goal, catalog))
    is_begun = goal.why in ("few_nights", "few_shops") and goal.name != "recovery"
    so_far = catalog.text("goal.so_far", found=_found(goal, catalog)) if is_begun else ""
    return catalog.paragraph(why, so_far)


def chart_found(world: WorldOutcome, catalog: Catalog) -> str:
    """Return what each way has gained in a world, and what its chart shows."""
    shares = [
        catalog.text(
            "loop.chart.way",
            way=catalog.text(f"way.{row.way}"),
            share=catalog.numbers.percentage(row.gap_closed),
        )
        for row in world.rows
        if row.gap_closed is not None
    ]
    gained = catalog.text("loop.chart.found", shares=catalog.listed(shares)) if shares else ""
    jump = "" if world.jump is None else catalog.text("loop.chart.jump", night=world.jump)
    first = catalog.text(f"way.{world.rows[0].way}")
    return catalog.paragraph(
        gained or catalog.text("loop.chart.nothing"),
        jump,
        catalog.text("loop.chart.shops", n_shops=world.n_common, way=first),
    )


def coverage_found(found: Coverage | None, catalog: Catalog) -> str:
    """Return a coverage with its interval."""
    if found is None:
        return catalog.numbers.missing
    numbers = catalog.numbers
    ends = numbers.between(numbers.percentage(found.lower), numbers.percentage(found.upper))
    return numbers.with_interval(numbers.percentage(found.share), ends)


def _found(goal: Goal, catalog: Catalog) -> str:
    found = goal.coverage
    if found is None:
        return catalog.text(f"goal.found.{goal.name}", **_written(goal, catalog))
    percentage = catalog.numbers.percentage
    return catalog.text(
        "goal.found.coverage",
        n_nights=found.n_nights,
        n_shops=found.n_shops,
        share=percentage(found.share),
        lower=percentage(found.lower),
        upper=percentage(found.upper),
        method=catalog.text(f"coverage.method.{found.method}"),
    )


def _written(goal: Goal, catalog: Catalog) -> dict[str, str | int]:
    """Return the figures, written: counts as they are, changes with a sign."""
    return {
        name: figure
        if isinstance(figure, int)
        else catalog.numbers.share(figure, signed=True)
        if name in _SIGNED
        else catalog.numbers.percentage(figure)
        for name, figure in goal.figures.items()
    }
