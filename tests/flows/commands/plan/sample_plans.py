"""Plans of a shop with everything, of visits alone, of nothing at all, and of lifts that none shows."""

from dataclasses import replace
from datetime import date

from features.warehouse.traffic import LoggedPropensities, LoggedTraffic, WindowSums
from flows.commands.plan.known_numbers import GivenNumbers
from flows.commands.plan.plan_answer import PlanAnswer, PlanQuestion, answer

LOG = LoggedTraffic(
    area="recommendation",
    first_day=date(2026, 1, 5),
    last_day=date(2026, 1, 8),
    n_rounds=4000,
    rewards=400.0,
    has_users=True,
    n_available=12.4,
    n_slots=3.0,
    propensities=LoggedPropensities(0.08, 500.0, 40.0),
    windows=(
        WindowSums(1, 4, 1000, 4000, 16_000, 4000 * 0.09 * 1.3),
        WindowSums(4, 1, 500, 4000, 32_000, 4000 * 0.09 * 1.7),
    ),
)
VISITS = replace(
    LOG,
    area=None,
    propensities=None,
    n_available=None,
    n_slots=None,
    windows=(
        WindowSums(1, 4, 4000, 4000, 4000, 360.0),
        WindowSums(4, 1, 2000, 4000, 8000, 4000 * 0.09 * 1.2),
    ),
)
ASKED = PlanQuestion(
    shop="shop",
    lift=0.5,
    exploration=(0.02, 1.0),
    shares=(0.5,),
    power=0.8,
    confidence=0.95,
    differs=1.0,
    days=None,
    given=GivenNumbers(),
    min_ess=200.0,
)
GIVEN = GivenNumbers(rate=0.03, users_per_day=500, rounds_per_user=12, items=30, slots=3)

PLANS: dict[str, PlanAnswer] = {
    "all": answer(ASKED, LOG),
    "visits": answer(ASKED, VISITS),
    "nothing": answer(ASKED, None),
    "few users": answer(replace(ASKED, lift=0.05, differs=0.3, days=1), LOG),
    "too large a lift": answer(replace(ASKED, lift=20.0), LOG),
    "money": answer(replace(ASKED, money="revenue"), replace(LOG, rounds_for_money=1.4)),
    "money of visits": answer(replace(ASKED, money="weighted"), VISITS),
    "numbers alone": answer(replace(ASKED, given=GIVEN, lift=3.0), None),
}
