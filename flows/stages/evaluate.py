"""Evaluate: every policy on the holdout that nothing was fitted on, then the gate and its verdicts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, partial
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from features.areas import area_of
from features.codes import Window
from features.contracts.findings import Finding, finding
from features.contracts.outputs import PolicyValues
from features.errors import UsageError
from features.warehouse.store import open_store
from flows.night_folder import Night, NightFolder, StageNotes
from flows.registry.elected import keep_elected
from flows.registry.looks import Look, number_of_look
from flows.settings import Settings
from flows.stages.arm_checks import arm_checks
from flows.stages.estimated_verdicts import at_most_test
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
from offline_rl.champions.layers import ServesInLog
from offline_rl.champions.standing import Today
from offline_rl.comparison.curves import AdaptationPoint, adaptation_curves
from offline_rl.comparison.paired import Comparison, compare_learners
from offline_rl.comparison.unseen import Holdout, each_unseen, unseen_segments
from offline_rl.device import limit_threads
from offline_rl.gate import ESTIMATOR, Evidence, Gate, GateTerms
from offline_rl.logged_data import Tasks
from offline_rl.meta.cautious import CAUTIOUS
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.evaluation import evaluate as evaluate_policies
from offline_rl.ope.models.estimated_propensities import MARK
from offline_rl.ope.policy_value import PolicyValue
from offline_rl.ope.records import EvaluationRounds
from offline_rl.registry import INCUMBENT, LOGGING, Contenders
from offline_rl.rolling_evaluation import fitted_ones, rolled
from offline_rl.rolling_origin import rolls
from offline_rl.serving import SegmentPolicies, evaluation_rounds, logged_as_is, served_probabilities


@dataclass(frozen=True)
class _Domain:
    """One domain of a night, with the tasks and settings of its evaluation."""

    name: str
    folder: NightFolder
    tasks: Tasks
    settings: Settings

    @cached_property
    def today(self) -> Today:
        """What serves today: the champion of an earlier night, or the shop's own policy."""
        exploration = self.settings.learning.exploration
        return Today(self.tasks, exploration, self.folder.standing(self.name))

    @cached_property
    def incumbent(self) -> list[ServesInLog]:
        """The policy that serves today, if it is another one than the logging policy of the evidence."""
        own_serves = area_of(self.name).logs_policies and bool(self.settings.night.incumbent_policy)
        return [self.today.in_log()] if own_serves or self.today.standing is not None else []

    def served(self, rows: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Yield every policy with its probabilities [len(rows), A] in these rounds of the log.

        The incumbent comes first, the learned ones follow as they would serve: adapted to each segment on the
        rounds before the holdout.
        """
        for today in self.incumbent:
            yield today.name, today.probabilities(rows)
        training, exploration = self.tasks.window("training"), self.settings.learning.exploration
        rounds = self.tasks.rounds.select(rows)
        for policy in self.folder.policies(self.name):
            adapted = SegmentPolicies.adapted(policy, training, exploration)
            yield policy.name, served_probabilities(adapted, rounds)


@dataclass(frozen=True)
class EvaluatedHoldout:
    """The holdout of one domain, with every policy evaluated on it.

    evaluation: every policy as it is, on the holdout.
    contenders, gate: the policies that ask to serve, and the gate that decides.
    true_values: by policy and segment (None: all), where the shop is simulated.
    n_earlier_uses: number of other runs that evaluated on this holdout before.
    comparisons, curves: of the learners, on the segments that taught none of them; the curves are from before
        the refit, which has read all of their support.
    today: what serves before the night decides.
    """

    evaluation: Evaluation
    contenders: Contenders
    gate: Gate
    true_values: Mapping[tuple[str, int | None], float]
    n_earlier_uses: int
    comparisons: Sequence[Comparison]
    curves: Sequence[AdaptationPoint]
    today: Today


def evaluate(workspace: Workspace, night: Night) -> None:
    """Evaluate every policy of every domain; write values, verdicts and the champion to the work folder."""
    settings = workspace.settings
    limit_threads(settings.learning.threads)
    folder = workspace.night_folder(night.run_id)
    values, verdicts, comparisons, curves, bounds, notes = [], [], [], [], [], []
    with folder.stage("evaluate"):
        _refuse_unknown_segments(folder, night, settings)
        for domain in night.domains:
            tasks = folder.tasks(domain)
            evaluated = _evaluate_holdout(workspace, night, domain, tasks)
            asked = gate_settings(settings, _look(workspace, night, domain, evaluated.gate))
            election = evaluated.gate.elect(evaluated.contenders, asked)
            key, segment_ids = {"run_id": night.run_id, "domain": domain}, tasks.segment_ids
            is_estimated = domain in night.estimated
            if is_estimated:
                tested = at_most_test(election, evaluated.gate, folder.notes("learn").notes, key, settings)
                election = tested.election
                bounds.append(tested.table)
                notes.append(tested.note)
            values.append(_value_rows(evaluated, key, segment_ids, settings, is_estimated=is_estimated))
            verdicts.append(verdict_table(election, evaluated.gate, key, segment_ids, settings))
            comparisons.append(comparison_table(evaluated.comparisons, key))
            curves.append(curve_table(evaluated.curves, key))
            champion = champion_of(election, evaluated.gate, segment_ids, settings)
            folder.write_champion(domain, champion)
            if champion.verdict == "promote":
                keep_elected(
                    folder,
                    night,
                    domain,
                    settings=settings,
                    today=evaluated.today,
                    election=election,
                    champion=champion,
                )
            notes += note_on_earlier_uses(domain, evaluated.n_earlier_uses)
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


def _evaluate_holdout(workspace: Workspace, night: Night, domain: str, tasks: Tasks) -> EvaluatedHoldout:
    """Evaluate all policies on the same holdout."""
    folder, settings = workspace.night_folder(night.run_id), workspace.settings
    names, shown = folder.names(domain), _Domain(domain, folder, tasks, settings)
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
        keep_above=settings.segments.keep_above,
        seed=settings.night.seed,
        split_by=names.split_by,
    )
    contenders = folder.contenders(domain)
    return EvaluatedHoldout(
        evaluation,
        contenders,
        _gate(shown, contenders, terms, by_policy, hand=night.champions.of(domain).hand),
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
    )


def _gate(
    domain: _Domain,
    contenders: Contenders,
    terms: GateTerms,
    by_policy: Mapping[str, EvaluationRounds],
    *,
    hand: Hand,
) -> Gate:
    """Evaluate on rolling origins the contenders that can be learned again from earlier days, the others on
    the holdout.

    A champion is challenged by rounds after its election alone: those before have elected it. Where they are
    too few, all rounds are shown, and nothing is promoted.
    by_policy: policy → the rounds of the holdout with its probabilities. hand: what a person has decided.
    """
    folder, tasks, settings = domain.folder, domain.tasks, domain.settings
    identities = folder.rounds(domain.name)
    evidence: dict[str, Evidence] = {}
    n_new: list[int] = []

    def judged(
        rounds: Mapping[str, EvaluationRounds], shown: pl.DataFrame, contenders: Sequence[str], n_origins: int
    ) -> Evidence:
        is_new = _is_new(shown, domain.today)
        n_new.append(int(is_new.sum()))
        if n_new[-1] >= settings.segments.min_rounds:
            rounds = {name: of_policy.select(is_new) for name, of_policy in rounds.items()}
            shown = shown.filter(is_new)
        return Evidence.of(rounds, contenders, terms, days=_days(shown), n_origins=n_origins)

    if rolls(tasks):
        rolling_rounds = rolled(
            tasks,
            fitted_ones([folder.policy(domain.name, name) for name in contenders.compared]),
            folder.pooled(domain.name),
            logging_policy=LOGGING,
            serving_today=domain.incumbent,
            exploration=settings.learning.exploration,
            seed=settings.night.seed,
        )
        shown = identities[rolling_rounds.evaluated.numpy()]
        rolling = judged(rolling_rounds.rounds, shown, contenders.compared, rolling_rounds.n_origins)
        evidence = dict.fromkeys(rolling.choices, rolling)
    if at_holdout := [name for name in contenders.compared if name not in evidence]:
        asked = {LOGGING, INCUMBENT, *contenders.compared}
        of_asked = {name: rounds for name, rounds in by_policy.items() if name in asked}
        last = judged(of_asked, identities.filter(window=Window.HOLDOUT), contenders.compared, 1)
        evidence |= dict.fromkeys(at_holdout, last)
    return Gate(terms.today, evidence, _withheld(domain, hand, min(n_new)))


def _look(workspace: Workspace, night: Night, domain: str, gate: Gate) -> int:
    """Return the number of the night's look at the evidence; 1 where it can promote nothing."""
    if gate.withheld is not None:
        return 1
    return number_of_look(workspace, Look(domain, night.champions.of(domain).policy_version, night.run_id))


def _is_new(shown: pl.DataFrame, today: Today) -> NDArray[np.bool_]:
    """Return which rounds had no part in the election of the champion that serves today."""
    if today.standing is None:
        return np.ones(shown.height, np.bool_)
    return (shown["decided_at"] >= today.standing.elected_until).to_numpy()


def _withheld(domain: _Domain, hand: Hand, n_new: int) -> Finding | None:
    """Return why nothing may be promoted, whatever the evidence says."""
    standing, least = domain.today.standing, domain.settings.segments.min_rounds
    if hand:
        return Finding(f"champion_{hand}", domain.name)
    if standing is None or n_new >= least:
        return None
    elected_on = (standing.elected_until - timedelta(days=1)).date().isoformat()
    return finding(
        "few_new_rounds", standing.policy_version, n_rounds=n_new, least=least, elected_on=elected_on
    )


def _days(rounds: pl.DataFrame) -> tuple[date, date]:
    """Return the first and the last day on which rounds were decided."""
    days = rounds["decided_at"].dt.date()
    return days.min(), days.max()  # type: ignore[return-value]  # of no rounds there is no evidence


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
    frame = pl.DataFrame(rows, schema_overrides={"true_value": pl.Float64}, infer_schema_length=None)
    return PolicyValues.validate(frame.select(PolicyValues.column_names()), cast=True)


def _marks(value: PolicyValue, *, is_estimated: bool) -> tuple[Finding, ...]:
    """Return what marks a value that rests on estimates; what the log itself earned rests on none."""
    return (MARK,) if is_estimated and value.policy != LOGGING else ()


def _fields(value: PolicyValue) -> dict[str, Any]:
    return {name: getattr(value, name) for name in PolicyValues.column_names() if hasattr(value, name)}
