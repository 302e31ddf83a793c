"""Evaluate: every policy on the holdout that nothing was fitted on, then the gate and its verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import polars as pl
import torch

from features.codes import Window
from features.contracts.findings import Finding, finding
from features.contracts.outputs import PolicyValues
from features.errors import UsageError
from features.warehouse.store import open_store
from flows.night_folder import Night, NightFolder, Note, StageNotes
from flows.registry.elected import keep_elected
from flows.settings import Settings
from flows.stages.arm_checks import arm_checks
from flows.stages.domain_policies import DomainPolicies
from flows.stages.estimated_verdicts import at_most_test
from flows.stages.experiments import (
    JudgedExperiment,
    begin,
    judged_experiments,
    settled,
    with_verdict,
    write_experiments,
)
from flows.stages.gate_of_domain import gate_of, look_of
from flows.stages.holdout_ledger import HoldoutUse, fingerprint, note_on_earlier_uses, record_use
from flows.stages.learner_tables import comparison_table, curve_table
from flows.stages.truth import true_rewards
from flows.stages.verdicts import (
    champion_of,
    gate_settings,
    protected_segments,
    segment_name,
    verdict_table,
)
from flows.stages.worded import worded_interval
from flows.standing import Hand
from flows.workspace import Workspace
from offline_rl.champions.standing import Today
from offline_rl.comparison.curves import AdaptationPoint, adaptation_curves
from offline_rl.comparison.paired import Comparison, compare_learners
from offline_rl.comparison.unseen import Holdout, each_unseen, unseen_segments
from offline_rl.decisions.served_policy import EvidenceLevel
from offline_rl.device import limit_threads
from offline_rl.gate import ESTIMATOR, Gate, GateTerms
from offline_rl.logged_data import Tasks
from offline_rl.meta.cautious import CAUTIOUS
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.evaluation import evaluate as evaluate_policies
from offline_rl.ope.models.estimated_propensities import MARK
from offline_rl.ope.policy_value import PolicyValue
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.trust.verdict import GateSettings
from offline_rl.registry import INCUMBENT, LOGGING, Champion, Contenders, challengers
from offline_rl.serving import evaluation_rounds, logged_as_is


@dataclass(frozen=True)
class EvaluatedHoldout:
    """The holdout of one domain, with every policy evaluated on it.

    evaluation: every policy as it is, on the holdout.
    contenders, gate: the policies that ask to serve, and the gate that decides.
    true_values: by policy and segment (None: all), where the shop is simulated.
    n_earlier_uses: number of other runs that evaluated on this holdout before.
    comparisons, curves: of the learners, on the segments that taught none of them; the curves are from before
        the refit, which has read all of their support.
    today: what serves before the night decides. hand: what a person has decided of it.
    """

    evaluation: Evaluation
    contenders: Contenders
    gate: Gate
    true_values: Mapping[tuple[str, int | None], float]
    n_earlier_uses: int
    comparisons: Sequence[Comparison]
    curves: Sequence[AdaptationPoint]
    today: Today
    hand: Hand


def evaluate(workspace: Workspace, night: Night) -> None:
    """Evaluate every policy of every domain; write values, verdicts and the champion to the work folder."""
    settings = workspace.settings
    limit_threads(settings.learning.threads)
    folder = workspace.night_folder(night.run_id)
    values, verdicts, comparisons, curves, bounds, notes = [], [], [], [], [], []
    with folder.stage("evaluate"):
        _refuse_unknown_segments(folder, night, settings)
        experiments = judged_experiments(workspace, night)
        for domain in night.domains:
            tasks = folder.tasks(domain)
            evaluated = _evaluate_holdout(workspace, night, domain, tasks)
            experiment = experiments.get(domain)
            evaluated, asked = _asked(workspace, night, domain, evaluated, experiment)
            election = evaluated.gate.elect(evaluated.contenders, asked)
            is_estimated = domain in night.estimated
            key, segment_ids = {"run_id": night.run_id, "domain": domain}, tasks.segment_ids
            if is_estimated:
                tested = at_most_test(election, evaluated.gate, folder.notes("learn").notes, key, settings)
                election = tested.election
                bounds.append(tested.table)
                notes.append(tested.note)
            if experiment is not None:
                experiment = experiments[domain] = settled(
                    experiment, folder, night, election, settings=settings, today=evaluated.today
                )
            values.append(_value_rows(evaluated, key, segment_ids, settings, is_estimated=is_estimated))
            level: EvidenceLevel = "estimated" if is_estimated else "logged"
            table = verdict_table(election, evaluated.gate, key, segment_ids, settings, evidence_level=level)
            verdicts.append(table if experiment is None else with_verdict(table, experiment, evaluated.gate))
            comparisons.append(comparison_table(evaluated.comparisons, key))
            curves.append(curve_table(evaluated.curves, key))
            champion = champion_of(election, evaluated.gate, segment_ids, settings)
            # What was learned from estimated propensities may be tested, and serves no more than that.
            is_settled = is_estimated or (experiment is not None and experiment.tonight.is_won)
            anew, why = _learned_anew(
                evaluated, champion, settings.evaluation.confidence, is_settled=is_settled
            )
            champion = replace(champion, refitted=anew)
            notes += [Note(domain, "", why)] if why else []
            folder.write_champion(domain, champion)
            if champion.verdict == "promote" or champion.refitted:
                keep_elected(
                    folder,
                    night,
                    domain,
                    settings=settings,
                    today=evaluated.today,
                    election=election,
                    champion=champion,
                )
            if experiment is None and (
                begun := begin(workspace, night, domain, election, evaluated.gate, today=evaluated.today)
            ):
                experiments[domain] = begun
            notes += note_on_earlier_uses(domain, evaluated.n_earlier_uses)
        notes += write_experiments(folder, night, experiments)
        folder.write_notes("evaluate", StageNotes(tuple(notes)))
        folder.write_parts("out_policy_values", values)
        folder.write_parts("out_verdicts", verdicts)
        folder.write_parts("out_sensitivity", bounds)
        folder.write_parts("out_learner_comparisons", comparisons)
        folder.write_parts("out_adaptation_curves", curves)
        with open_store(workspace.warehouse) as connection:
            checks = arm_checks(connection, settings, night.run_id)
        if not checks.is_empty():
            folder.write_table("out_arm_checks", checks)


def _asked(
    workspace: Workspace,
    night: Night,
    domain: str,
    evaluated: EvaluatedHoldout,
    experiment: JudgedExperiment | None,
) -> tuple[EvaluatedHoldout, GateSettings]:
    """Return the holdout, its gate withheld where nothing may be promoted tonight, and what the gate demands.

    Nothing else is promoted where an experiment decides tonight. Estimated propensities promote nothing,
    whatever they show, so a look at them costs later ones nothing; what they would have tested is being
    tested while an experiment runs.
    """
    gate, look = evaluated.gate, 1
    decides = experiment is not None and experiment.tonight.status in ("promoted", "rejected")
    if experiment is not None and (decides or (domain in night.estimated and not evaluated.hand)):
        gate = replace(gate, withheld=experiment.tonight.found)
    elif domain not in night.estimated:
        gate, look = look_of(gate, workspace, night, domain, evaluated.today.standing)
    return replace(evaluated, gate=gate), gate_settings(workspace.settings, look)


def _learned_anew(
    evaluated: EvaluatedHoldout, champion: Champion, confidence: float, *, is_settled: bool
) -> tuple[str, Finding | None]:
    """Return the learner whose policy of tonight serves in place of its earlier one, or why it doesn't.

    The gate has elected a way of learning, so what it learns from more rounds serves, unless the holdout
    shows that it earns less. is_settled: whether nothing that was learned tonight may serve.
    """
    standing, evaluation = evaluated.today.standing, evaluated.evaluation
    if champion.verdict == "promote" or standing is None or evaluated.hand or is_settled:
        return "", None
    if standing.learner not in evaluation.policies:
        return "", None
    lead = evaluation.difference(standing.learner, INCUMBENT, ESTIMATOR, confidence=confidence)
    if lead.upper < -evaluation.resolution:
        ends = {"difference": lead.value, "lower": lead.lower, "upper": lead.upper}
        return "", finding("champion_kept_unfitted", standing.learner, **ends)
    return standing.learner, None


def _evaluate_holdout(workspace: Workspace, night: Night, domain: str, tasks: Tasks) -> EvaluatedHoldout:
    """Evaluate all policies on the same holdout."""
    folder, settings = workspace.night_folder(night.run_id), workspace.settings
    names, shown = folder.names(domain), DomainPolicies(domain, folder, tasks, settings)
    identities = folder.rounds(domain).filter(window=Window.HOLDOUT)
    use = _holdout_use(night, domain, identities, tasks)
    n_earlier_uses = record_use(workspace.work / "openings.jsonl", use)
    rounds = tasks.window("holdout")
    holdout = Holdout(
        rounds,
        q_hat=folder.pooled(domain).model.expected_rewards(rounds).cpu(),
        truth=true_rewards(workspace, domain, identities, tasks.action_ids),
    )
    by_policy: dict[str, EvaluationRounds] = {LOGGING: logged_as_is(rounds, holdout.q_hat)}
    true_values = {(LOGGING, segment): value for segment, value in holdout.true_values(None).items()}
    in_holdout = torch.nonzero(tasks.window_code == Window.HOLDOUT).flatten()
    for name, probabilities in shown.served(in_holdout):
        by_policy[name] = evaluation_rounds(rounds, probabilities, holdout.q_hat)
        of_policy = holdout.true_values(probabilities)
        true_values |= {(name, segment): value for segment, value in of_policy.items()}
    of_all = partial(
        evaluate_policies,
        n_resamples=settings.evaluation.resamples,
        seed=settings.night.seed,
        confidence=settings.evaluation.confidence,
        cluster_name="users" if names.has_users else "rounds",
    )
    evaluation = of_all(by_policy, [from_name(name) for name in _estimators(settings)])
    terms = GateTerms(
        evaluate=lambda policies: of_all(policies, [from_name(ESTIMATOR)]),
        today=INCUMBENT if INCUMBENT in by_policy else LOGGING,
        protected=protected_segments(tasks.segment_ids, settings),
        # No segment of a promoted policy can keep lists: they are a user's own, and no policy of segments.
        keep_above=1.0 if domain in night.unproven else settings.segments.keep_above,
        seed=settings.night.seed,
        split_by=names.split_by,
    )
    contenders, hand = folder.contenders(domain), night.champions.of(domain).hand
    if shown.learned_again:
        contenders = challengers(contenders, shown.learned_again)
    return EvaluatedHoldout(
        evaluation,
        contenders,
        gate_of(shown, contenders, terms, by_policy, hand=hand),
        true_values=true_values,
        n_earlier_uses=n_earlier_uses,
        comparisons=compare_learners(
            evaluation,
            [name for name in evaluation.policies if name not in (LOGGING, INCUMBENT, CAUTIOUS)],
            unseen_segments(tasks, holdout),
            resamples=settings.evaluation.resamples,
            confidence=settings.evaluation.confidence,
        ),
        curves=adaptation_curves(
            list(folder.learned(domain)), each_unseen(tasks, holdout), settings.learning.exploration
        ),
        today=shown.today,
        hand=hand,
    )


def _refuse_unknown_segments(folder: NightFolder, night: Night, settings: Settings) -> None:
    """Refuse a protected segment that the night lacks, since a misspelled name would protect nothing."""
    known = {name for domain in night.domains for name in folder.segment_ids(domain)}
    unknown = [name for name in settings.segments.protected if name not in known]
    if unknown and known:
        raise UsageError(
            f"segments.protected names {', '.join(unknown)}, which is not a segment tonight: it may have "
            f"been merged because it had too few rounds. There are {', '.join(sorted(known)[:20])}. Protect "
            "the segment that it was merged into, or remove the name."
        )


def _holdout_use(night: Night, domain: str, identities: pl.DataFrame, tasks: Tasks) -> HoldoutUse:
    dealt = zip(tasks.segment_ids, tasks.segment_split.tolist(), strict=True)
    return HoldoutUse(
        domain=domain,
        holdout_sha256=fingerprint(identities["round_id"]),
        splits_sha256=fingerprint(f"{segment} {split}" for segment, split in dealt),
        run_id=night.run_id,
    )


def _estimators(settings: Settings) -> Sequence[str]:
    return "ips", f"ips:{settings.evaluation.clip:g}", "snips", "dm", "dr"


def _value_rows(
    evaluated: EvaluatedHoldout,
    key: Mapping[str, str],
    segment_ids: Sequence[str],
    settings: Settings,
    *,
    is_estimated: bool,
) -> pl.DataFrame:
    rows = [
        {
            **key,
            **_fields(value),
            **worded_interval((*value.interval_findings, *_marks(value, is_estimated=is_estimated))),
            "segment_id": segment_name(value.segment, segment_ids),
            "true_value": evaluated.true_values.get((value.policy, value.segment)),
        }
        for value in evaluated.evaluation.policy_values(settings.evaluation.confidence)
    ]
    numbers = dict.fromkeys(("lower", "upper", "true_value"), pl.Float64)
    frame = pl.DataFrame(rows, schema_overrides=numbers, infer_schema_length=None)
    frame = frame.with_columns(pl.col("lower", "upper").fill_nan(None))
    return PolicyValues.validate(frame.select(PolicyValues.column_names()), cast=True)


def _marks(value: PolicyValue, *, is_estimated: bool) -> tuple[Finding, ...]:
    """Return what marks a value that rests on estimates; what the log itself earned rests on none."""
    return (MARK,) if is_estimated and value.policy != LOGGING else ()


def _fields(value: PolicyValue) -> dict[str, Any]:
    return {name: getattr(value, name) for name in PolicyValues.column_names() if hasattr(value, name)}
