"""A plan as text for a terminal."""

from collections.abc import Sequence

from features.contracts.findings import Finding
from features.contracts.plan_codes import LACKS
from flows.commands.plan.plan_answer import PlanAnswer
from offline_rl.power.horizon import Traffic
from offline_rl.power.plan import Planned
from offline_rl.power.user_growth import MONTH
from reports.wording.catalog import Catalog
from reports.wording.language import LANGUAGE
from reports.wording.sentences import sentences

GAP = "  "

LARGEST_LIFT = 10.0
"""A lift beyond it is said in words: no candidate earns eleven times as much."""


def printed(plan: PlanAnswer, *, catalog: Catalog = LANGUAGE) -> str:
    """Return the plan as lines: what is known, days by design, smallest lifts, what it rests on."""
    lacking = [found for found in plan.notes if found.code in LACKS]
    others = [found for found in plan.notes if found.code not in LACKS]
    traffic = plan.known.traffic
    if traffic is None:
        return "\n".join([catalog.text("plan.nothing"), *_listed(lacking, catalog)])
    rows = (*plan.arms, *plan.off_policy)
    impossible = [] if plan.is_possible else [catalog.text("plan.none_possible")]
    not_planned = [catalog.text("plan.lacking"), *_listed(lacking, catalog), ""] if lacking else []
    return "\n".join(
        [
            *_known(plan, traffic, catalog),
            "",
            _asked(plan, traffic, catalog),
            *_aligned([_days_head(catalog), *(_days_row(row, plan, traffic, catalog) for row in rows)]),
            *impossible,
            "",
            catalog.text("plan.lifts", power=catalog.numbers.percentage(plan.question.power)),
            *_aligned([_lifts_head(plan, catalog), *(_lifts_row(row, catalog) for row in rows)]),
            "",
            *not_planned,
            catalog.text("plan.rests_on"),
            *_listed(others, catalog),
        ]
    )


def _known(plan: PlanAnswer, traffic: Traffic, catalog: Catalog) -> list[str]:
    known, numbers = plan.known, catalog.numbers
    unit = "user_days" if known.is_user_days else "rounds"
    if known.days is None:
        title = catalog.text("plan.title_without_log")
    else:
        first, last = known.days
        area = catalog.text(f"area_inside.{known.area}") if known.area else ""
        name = catalog.text(f"plan.unit.{unit}", area=area)
        title = catalog.text("plan.title", shop=plan.question.shop, area=name, first=first, last=last)
    lines = [
        catalog.text(
            f"plan.rate.{unit}",
            rate=_exactly(traffic.rate, catalog),
            n_users=numbers.sized(known.users_per_day),
            n_rounds=numbers.sized(known.rounds_per_user),
        )
    ]
    if known.items is not None:
        lines.append(catalog.text("plan.shown", n_items=known.items, n_slots=known.slots))
    day, month = traffic.growth.design_effect([1, MONTH]).tolist()
    lines.append(
        catalog.text("plan.clustering", day=numbers.ratio(day), month=numbers.ratio(month), n_days=MONTH)
    )
    users = round(traffic.growth.users(MONTH))
    lines.append(catalog.text("plan.users", n_users=users, n_days=MONTH))
    return [title, *(GAP + line for line in lines)]


def _asked(plan: PlanAnswer, traffic: Traffic, catalog: Catalog) -> str:
    question, numbers = plan.question, catalog.numbers
    return catalog.text(
        "plan.asked",
        lift=numbers.percentage(question.lift),
        rate=_exactly(traffic.rate, catalog),
        raised=_exactly(traffic.rate * (1 + question.lift), catalog),
        power=numbers.percentage(question.power),
        level=numbers.confidence(question.confidence),
    )


def _exactly(rate: float, catalog: Catalog) -> str:
    """Return a rate with four digits, so that a lift of it is seen."""
    numbers = catalog.numbers
    return numbers.percent.format(number=numbers.plain(100 * rate, digits=4))


def _days_head(catalog: Catalog) -> tuple[str, ...]:
    return (
        catalog.text("plan.head.design"),
        catalog.text("plan.head.days"),
        catalog.text("plan.head.users"),
        catalog.text("plan.head.rounds"),
        catalog.text("plan.head.effective"),
        catalog.text("plan.head.cost"),
    )


def _days_row(row: Planned, plan: PlanAnswer, traffic: Traffic, catalog: Catalog) -> tuple[str, ...]:
    numbers = catalog.numbers
    effective = numbers.fixed(row.effective_rounds, 0)
    if plan.is_below_gate(row):
        effective = catalog.text("plan.below_gate", effective=effective)
    cost = numbers.missing
    if row.cost is not None:
        amount = numbers.sized(row.cost * traffic.rate * traffic.rounds_per_day)
        cost = catalog.text("plan.cost", share=numbers.share(row.cost), amount=amount)
    return (
        _design(row, catalog),
        _days(row, catalog),
        numbers.fixed(row.users, 0),
        numbers.fixed(row.rounds, 0),
        effective,
        cost,
    )


def _design(row: Planned, catalog: Catalog) -> str:
    if row.share is None:
        return catalog.text(f"plan.{row.kind}")
    return catalog.text(f"plan.{row.kind}", share=catalog.numbers.percentage(row.share))


def _days(row: Planned, catalog: Catalog) -> str:
    if row.needed.days is None:
        return catalog.text(f"plan.{row.needed.outcome}")
    days = catalog.numbers.count(row.needed.days)
    return catalog.text("plan.rough", days=days) if row.is_rough else days


def _lifts_head(plan: PlanAnswer, catalog: Catalog) -> tuple[str, ...]:
    after = (catalog.text("plan.head.after", n_days=days) for days in plan.horizons)
    return (catalog.text("plan.head.design"), *after)


def _lifts_row(row: Planned, catalog: Catalog) -> tuple[str, ...]:
    return (_design(row, catalog), *(_lift(lift, catalog) for lift in row.lifts))


def _lift(lift: float | None, catalog: Catalog) -> str:
    if lift is None:
        return catalog.text("plan.no_lift")
    if lift > LARGEST_LIFT:
        return catalog.text("plan.large_lift", largest=catalog.numbers.percentage(LARGEST_LIFT))
    return catalog.numbers.share(lift)


def _listed(found: Sequence[Finding], catalog: Catalog) -> list[str]:
    return [f"{GAP}{sentence}" for sentence in sentences(found, catalog=catalog)]


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return a table, its first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [GAP + GAP.join(_cells(row, widths)).rstrip() for row in rows]


def _cells(row: tuple[str, ...], widths: Sequence[int]) -> list[str]:
    first, *others = (
        cell.ljust(width) if place == 0 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return [first, *others]
