"""A plan as one line of JSON for a script."""

import json
from dataclasses import asdict
from typing import Any

from features.contracts.findings import as_plain
from flows.commands.plan.plan_answer import PlanAnswer
from offline_rl.power.plan import Planned
from reports.wording.sentences import sentences


def json_line(plan: PlanAnswer) -> str:
    """Return the plan as one JSON object; null where a number is not known.

    | key | content |
    |---|---|
    | shop, lift, power, confidence, differs | what was asked |
    | known | the numbers that it rests on, null where traffic is lacking |
    | designs | kind (two_arms, explored, as_logged), share, outcome, days, users, rounds, effective_rounds, |
    | | expected_rewards, cost (share of the reward), below_gate, smallest_lifts: days and lift |
    | is_possible | whether one of them shows the lift within a year |
    | findings, notes | what it lacks and assumes, as codes with numbers and as sentences |
    """
    question = plan.question
    content = {
        "shop": question.shop,
        "lift": question.lift,
        "power": question.power,
        "confidence": question.confidence,
        "differs": question.differs,
        "known": _known(plan),
        "designs": [_design(row, plan) for row in (*plan.arms, *plan.off_policy)],
        "is_possible": plan.is_possible,
        "findings": list(map(as_plain, plan.notes)),
        "notes": list(sentences(plan.notes)),
    }
    return json.dumps(content, allow_nan=False)


def _known(plan: PlanAnswer) -> dict[str, Any] | None:
    known = plan.known
    if known.traffic is None:
        return None
    first, last = known.days or (None, None)
    return {
        "area": known.area,
        "unit": "user_days" if known.is_user_days else "rounds",
        "first_day": first and first.isoformat(),
        "last_day": last and last.isoformat(),
        "rate": known.traffic.rate,
        "users_per_day": known.users_per_day,
        "rounds_per_user": known.rounds_per_user,
        "rounds_per_day": known.traffic.rounds_per_day,
        "items": known.items,
        "slots": known.slots,
        "uniform_rate": known.uniform_rate,
        "windows": [asdict(window) for window in known.traffic.growth.windows],
    }


def _design(row: Planned, plan: PlanAnswer) -> dict[str, Any]:
    lifts = zip(plan.horizons, row.lifts, strict=True)
    return {
        "kind": row.kind,
        "share": row.share,
        "outcome": row.needed.outcome,
        "days": row.needed.days,
        "users": row.users,
        "rounds": row.rounds,
        "effective_rounds": row.effective_rounds,
        "expected_rewards": row.expected_rewards,
        "cost": row.cost,
        "is_rough": row.is_rough,
        "below_gate": plan.is_below_gate(row),
        "smallest_lifts": [{"days": days, "lift": lift} for days, lift in lifts],
    }
