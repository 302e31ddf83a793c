"""Policy values over everyone: chart, table, diagnostics, and every other estimator."""

from collections.abc import Sequence
from dataclasses import dataclass

from features.codes import ALL_SEGMENTS
from reports import wording
from reports.charts.value_intervals import ValueMark, value_intervals
from reports.pages.cells import counted, heads, measured, people, ratioed, rounded, shared, text
from reports.pages.figure import Figure, Key
from reports.summaries.formatting import MISSING, RewardFormat
from reports.summaries.policy_values import PolicyValue, leading_estimators
from reports.summaries.printed_table import Cell, Column, Mark, PrintedTable, first_rows, interval_bars
from reports.summaries.verdicts import Verdict, for_everyone

SOURCE = "out_policy_values"


@dataclass(frozen=True)
class ValueEvidence:
    """What everyone's policy values print; figure is None where no value could be measured."""

    figure: Figure | None
    values: PrintedTable
    diagnostics: PrintedTable
    all_estimators: PrintedTable


def value_evidence(
    values: Sequence[PolicyValue], verdicts: Sequence[Verdict], reward: RewardFormat, *, has_users: bool
) -> ValueEvidence | None:
    """Return the evidence over everyone, or None where the domain has no such rows."""
    everyone = [value for value in values if value.segment_id == ALL_SEGMENTS]
    if not everyone:
        return None
    estimators = leading_estimators(everyone)
    by_lane = [{v.policy: v for v in everyone if v.estimator == estimator} for estimator in estimators]
    policies = list(by_lane[0]) + [v.policy for v in everyone if v.policy not in by_lane[0]]
    policies = list(dict.fromkeys(policies))
    verdict = next(iter(for_everyone(verdicts)), None)
    return ValueEvidence(
        figure=_figure(by_lane, policies, estimators, verdict, reward),
        values=_values_table(by_lane, policies, estimators, verdict, reward),
        diagnostics=_diagnostics_table(by_lane[0], has_users=has_users),
        all_estimators=_estimators_table(everyone, policies, reward),
    )


def _figure(
    by_lane: list[dict[str, PolicyValue]],
    policies: list[str],
    estimators: tuple[str, ...],
    verdict: Verdict | None,
    reward: RewardFormat,
) -> Figure | None:
    marks = [
        ValueMark(policy, _role(policy, verdict), lane, shown, *_ends(value, reward))
        for policy in policies
        for lane, of_policy in enumerate(by_lane)
        if (value := of_policy.get(policy)) is not None and (shown := reward.shown(value.value)) is not None
    ]
    if not marks:
        return None
    shapes: tuple[Key, ...] = tuple(
        Key("dot" if lane == 0 else "square", "other", f"{estimator}, {'solid' if lane == 0 else 'dashed'}")
        for lane, estimator in enumerate(estimators)
    )
    roles = (Key("solid", "candidate", "candidate"), Key("solid", "baseline", "strongest baseline"))
    has_truth = any(mark.true_value is not None for mark in marks)
    truth = (Key("tick", "truth", "true value (simulated)"),) if has_truth else ()
    axis = f"reward per round, {reward.unit}" if reward.unit else "reward per round"
    return Figure(
        svg=value_intervals(marks, axis=axis),
        name=f"Value and interval of {len(policies)} policies; the table below has the numbers",
        conclusion=_conclusion(by_lane[0]),
        keys=shapes + (roles if verdict else ()) + truth,
    )


def _conclusion(leading: dict[str, PolicyValue]) -> str:
    ranked = [value for value in leading.values() if value.value is not None]
    if not ranked:
        return ""
    second = ranked[1] if len(ranked) > 1 else None
    overlaps = second is None or (ranked[0].lower or 0.0) <= (second.upper or 0.0)
    words = wording.values_conclusion(ranked[0].policy, overlaps, second.policy if second else "")
    known = [value.covers_truth for value in ranked if value.covers_truth is not None]
    return f"{words} {wording.coverage_conclusion(sum(known), len(known))}" if known else words


def _values_table(
    by_lane: list[dict[str, PolicyValue]],
    policies: list[str],
    estimators: tuple[str, ...],
    verdict: Verdict | None,
    reward: RewardFormat,
) -> PrintedTable:
    has_truth = any(value.true_value is not None for value in by_lane[0].values())
    columns: tuple[Column, ...] = heads("Policy", "Role", *(f"{name} (interval)#" for name in estimators))
    columns += heads("True value#", "Inside interval") if has_truth else ()
    rows = []
    for policy in policies:
        cells = [text(policy), Cell(_role_words(policy, verdict))]
        for of_policy in by_lane:
            value = of_policy.get(policy)
            cells.append(_estimate_cell(value, reward))
        if has_truth:
            cells += _truth_cells(by_lane[0].get(policy), reward)
        rows.append(tuple(cells))
    return first_rows("Policy values on the holdout of all segments, reward per round", columns, rows, SOURCE)


def _truth_cells(value: PolicyValue | None, reward: RewardFormat) -> list[Cell]:
    if value is None or value.covers_truth is None:
        return [text(None), text(None)]
    inside = Cell("yes", mark=Mark("✓", "good")) if value.covers_truth else Cell("no", mark=Mark("✕", "bad"))
    return [measured(reward.value(value.true_value), value.true_value), inside]


def _diagnostics_table(leading: dict[str, PolicyValue], *, has_users: bool) -> PrintedTable:
    users = ("Users#",) if has_users else ()
    columns = heads(
        "Policy", "Rounds#", *users, "ESS#", "ESS share#", "Mean weight#", "Max weight#", "Supported#"
    )
    rows = [
        (
            text(value.policy),
            counted(value.n_rounds),
            *(people([value.n_users]) if has_users else ()),
            rounded(value.ess),
            shared(value.ess_share, drawn=True),
            ratioed(value.mean_weight),
            ratioed(value.max_weight),
            shared(value.supported_share),
        )
        for value in leading.values()
    ]
    methods = sorted({value.interval_method for value in leading.values()})
    caption = f"Weights and support of each policy; intervals by {', '.join(methods)}"
    return first_rows(caption, columns, rows, SOURCE)


def _estimators_table(everyone: list[PolicyValue], policies: list[str], reward: RewardFormat) -> PrintedTable:
    ordered = sorted(everyone, key=lambda value: (policies.index(value.policy), value.estimator))
    bars = interval_bars([(v.value, v.lower, v.upper) for v in ordered])
    rows = [
        (
            text(value.policy),
            text(value.estimator),
            measured(reward.estimate(value.value, value.lower, value.upper), value.value, bar),
        )
        for value, bar in zip(ordered, bars, strict=True)
    ]
    return first_rows("Every estimator", heads("Policy", "Estimator", "Value (interval)#"), rows, SOURCE)


def _estimate_cell(value: PolicyValue | None, reward: RewardFormat) -> Cell:
    if value is None:
        return Cell(MISSING)
    return measured(reward.estimate(value.value, value.lower, value.upper), value.value)


def _ends(value: PolicyValue, reward: RewardFormat) -> tuple[float | None, float | None, float | None]:
    return reward.shown(value.lower), reward.shown(value.upper), reward.shown(value.true_value)


def _role(policy: str, verdict: Verdict | None) -> str:
    if verdict is None:
        return "other"
    return {verdict.baseline: "baseline", verdict.candidate: "candidate"}.get(policy, "other")


def _role_words(policy: str, verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    roles = (
        ("candidate", verdict.candidate),
        ("strongest baseline", verdict.baseline),
        ("serves tomorrow", verdict.champion),
    )
    return ", ".join(role for role, name in roles if name == policy)
