"""Policy values over everyone: chart, table, diagnostics, and every other estimator."""

from collections.abc import Sequence
from dataclasses import dataclass

from features.codes import ALL_SEGMENTS
from reports.charts.value_intervals import ValueMark, value_intervals
from reports.pages.cells import counted, heads, is_right, measured, people, ratioed, rounded, shared, text
from reports.pages.figure import Figure, Key, reward_axis
from reports.summaries.formatting import RewardFormat
from reports.summaries.policy_values import PolicyValue, leading_estimators
from reports.summaries.printed_table import Cell, Column, PrintedTable, first_rows, interval_bars
from reports.summaries.suppression import SMALLEST_GROUP
from reports.summaries.verdicts import Verdict, for_everyone
from reports.wording.catalog import Catalog
from reports.wording.evaluation import values_conclusion
from reports.wording.sentences import clauses

SOURCE = "out_policy_values"


@dataclass(frozen=True)
class ValueEvidence:
    """What everyone's policy values print; figure is None where no value could be measured."""

    figure: Figure | None
    values: PrintedTable
    diagnostics: PrintedTable
    all_estimators: PrintedTable


def value_evidence(
    values: Sequence[PolicyValue],
    verdicts: Sequence[Verdict],
    reward: RewardFormat,
    catalog: Catalog,
    *,
    has_users: bool,
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
        figure=_figure(by_lane, policies, estimators, verdict, reward, catalog=catalog),
        values=_values_table(by_lane, policies, estimators, verdict, reward, catalog=catalog),
        diagnostics=_diagnostics_table(by_lane[0], catalog, has_users=has_users),
        all_estimators=_estimators_table(everyone, policies, reward, catalog),
    )


def _figure(
    by_lane: list[dict[str, PolicyValue]],
    policies: list[str],
    estimators: tuple[str, ...],
    verdict: Verdict | None,
    reward: RewardFormat,
    *,
    catalog: Catalog,
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
        Key("dot", "other", catalog.text("key.estimator_solid", estimator=estimator))
        if lane == 0
        else Key("square", "other", catalog.text("key.estimator_dashed", estimator=estimator))
        for lane, estimator in enumerate(estimators)
    )
    roles = (
        Key("solid", "candidate", catalog.text("key.candidate")),
        Key("solid", "baseline", catalog.text("key.baseline")),
    )
    has_truth = any(mark.true_value is not None for mark in marks)
    truth = (Key("tick", "truth", catalog.text("key.true_value")),) if has_truth else ()
    return Figure(
        svg=value_intervals(marks, catalog.numbers, axis=reward_axis(reward, catalog)),
        name=catalog.text("figure.values", n_policies=len(policies)),
        conclusion=_conclusion(by_lane[0], catalog),
        keys=shapes + (roles if verdict else ()) + truth,
    )


def _conclusion(leading: dict[str, PolicyValue], catalog: Catalog) -> str:
    ranked = [value for value in leading.values() if value.value is not None]
    if not ranked:
        return ""
    second = ranked[1] if len(ranked) > 1 else None
    overlaps = second is None or (ranked[0].lower or 0.0) <= (second.upper or 0.0)
    second_name = second.policy if second else ""
    words = values_conclusion(ranked[0].policy, second_name, catalog, overlaps=overlaps)
    known = [value.covers_truth for value in ranked if value.covers_truth is not None]
    coverage = catalog.text("values.coverage", n_covered=sum(known), n_known=len(known)) if known else ""
    return catalog.paragraph(words, coverage)


def _values_table(
    by_lane: list[dict[str, PolicyValue]],
    policies: list[str],
    estimators: tuple[str, ...],
    verdict: Verdict | None,
    reward: RewardFormat,
    *,
    catalog: Catalog,
) -> PrintedTable:
    has_truth = any(value.true_value is not None for value in by_lane[0].values())
    columns: tuple[Column, ...] = (
        *heads(catalog, "policy", "role"),
        *(Column(catalog.text("head.estimate_by", estimator=name), "number") for name in estimators),
        *(heads(catalog, "true_value#", "inside_interval") if has_truth else ()),
    )
    rows = []
    for policy in policies:
        cells = [text(policy, catalog), Cell(_role_words(policy, verdict, catalog))]
        for of_policy in by_lane:
            value = of_policy.get(policy)
            cells.append(_estimate_cell(value, reward, catalog))
        if has_truth:
            cells += _truth_cells(by_lane[0].get(policy), reward, catalog)
        rows.append(tuple(cells))
    return first_rows(catalog.text("caption.values"), columns, rows, SOURCE)


def _truth_cells(value: PolicyValue | None, reward: RewardFormat, catalog: Catalog) -> list[Cell]:
    if value is None or value.covers_truth is None:
        return [text(None, catalog), text(None, catalog)]
    truth = measured(catalog.numbers.reward(reward, value.true_value), value.true_value)
    return [truth, is_right(value.covers_truth, catalog)]


def _diagnostics_table(leading: dict[str, PolicyValue], catalog: Catalog, *, has_users: bool) -> PrintedTable:
    users = ("users#",) if has_users else ()
    columns = heads(
        catalog,
        "policy",
        "rounds#",
        *users,
        "ess#",
        "ess_share#",
        "mean_weight#",
        "max_weight#",
        "supported#",
    )
    rows = [
        (
            text(value.policy, catalog),
            counted(value.n_rounds, catalog),
            *(people([value.n_users], catalog) if has_users else ()),
            rounded(value.ess, catalog),
            shared(value.ess_share, catalog, drawn=True),
            ratioed(value.mean_weight, catalog),
            ratioed(value.max_weight, catalog),
            shared(value.supported_share, catalog),
        )
        for value in leading.values()
    ]
    of_all, of_each = _interval_words(list(leading.values()), catalog)
    caption = catalog.text("caption.diagnostics", methods=of_all)
    return first_rows(caption, columns, rows, SOURCE, whys=of_each)


def _interval_words(values: Sequence[PolicyValue], catalog: Catalog) -> tuple[str, list[str]]:
    """Return how the intervals of all these values were made, and what is to be said of each one's alone."""
    said = [clauses(value.interval_findings, smallest=SMALLEST_GROUP, catalog=catalog) for value in values]
    of_all = list(dict.fromkeys(method for method, *_ in said))
    of_all += [remark for remark in said[0][1:] if all(remark in each for each in said)]
    own = (catalog.between_causes.join(part for part in each if part not in of_all) for each in said)
    return catalog.between_causes.join(of_all), [catalog.alone(words) if words else "" for words in own]


def _estimators_table(
    everyone: list[PolicyValue], policies: list[str], reward: RewardFormat, catalog: Catalog
) -> PrintedTable:
    ordered = sorted(everyone, key=lambda value: (policies.index(value.policy), value.estimator))
    bars = interval_bars([(v.value, v.lower, v.upper) for v in ordered])
    rows = [
        (
            text(value.policy, catalog),
            text(value.estimator, catalog),
            measured(_written(value, reward, catalog), value.value, bar),
        )
        for value, bar in zip(ordered, bars, strict=True)
    ]
    columns = heads(catalog, "policy", "estimator", "value_with_interval#")
    return first_rows(catalog.text("caption.estimators"), columns, rows, SOURCE)


def _estimate_cell(value: PolicyValue | None, reward: RewardFormat, catalog: Catalog) -> Cell:
    if value is None:
        return text(None, catalog)
    return measured(_written(value, reward, catalog), value.value)


def _written(value: PolicyValue, reward: RewardFormat, catalog: Catalog) -> str:
    return catalog.numbers.reward_estimate(reward, value.value, value.lower, value.upper)


def _ends(value: PolicyValue, reward: RewardFormat) -> tuple[float | None, float | None, float | None]:
    return reward.shown(value.lower), reward.shown(value.upper), reward.shown(value.true_value)


def _role(policy: str, verdict: Verdict | None) -> str:
    if verdict is None:
        return "other"
    return {verdict.baseline: "baseline", verdict.candidate: "candidate"}.get(policy, "other")


def _role_words(policy: str, verdict: Verdict | None, catalog: Catalog) -> str:
    if verdict is None:
        return ""
    roles = {
        "candidate": verdict.candidate,
        "baseline": verdict.baseline,
        "champion": verdict.champion,
    }
    return catalog.listed(catalog.text(f"role.{role}") for role, name in roles.items() if name == policy)
