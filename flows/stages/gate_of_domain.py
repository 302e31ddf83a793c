"""The gate of one domain: the rounds that contenders are compared on, and whether any may be promoted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.codes import Window
from features.contracts.findings import Finding, finding
from flows.night_folder import Night
from flows.registry.looks import Look, looks_before, record_look
from flows.stages.domain_policies import DomainPolicies
from flows.standing import Hand
from flows.workspace import Workspace
from offline_rl.champions.standing import Standing, Today
from offline_rl.gate import Evidence, Gate, GateTerms
from offline_rl.ope.records import EvaluationRounds
from offline_rl.ope.trust.error_spending import GROWTH, is_due
from offline_rl.registry import INCUMBENT, LOGGING, Contenders
from offline_rl.rolling_evaluation import fitted_ones, rolled
from offline_rl.rolling_origin import rolls


def gate_of(
    domain: DomainPolicies,
    contenders: Contenders,
    terms: GateTerms,
    by_policy: Mapping[str, EvaluationRounds],
    *,
    hand: Hand,
) -> Gate:
    """Evaluate on rolling origins the contenders that can be learned again from earlier days, the others on
    the holdout.

    A champion is challenged by rounds after its election alone: those before have elected it. Where they are
    too few, all rounds are shown, and nothing is promoted. Where its learner can be learned again from
    earlier days, so is the champion, because what was elected is a way of learning.
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
        return Evidence.of(rounds, contenders, terms, n_by_day=_by_day(shown), n_origins=n_origins)

    if rolls(tasks):
        names = dict.fromkeys(filter(None, [*contenders.compared, domain.learned_again]))
        fitted = fitted_ones([folder.policy(domain.name, name) for name in names])
        again = domain.learned_again if domain.learned_again in {policy.name for policy in fitted} else ""
        rolling_rounds = rolled(
            tasks,
            fitted,
            folder.pooled(domain.name),
            logging_policy=LOGGING,
            serving_today=() if again else domain.incumbent,
            exploration=settings.learning.exploration,
            seed=settings.night.seed,
        )
        shown = identities[rolling_rounds.evaluated.numpy()]
        seen = dict(rolling_rounds.rounds)
        if again:
            seen[INCUMBENT] = seen[again]
            seen = {
                name: rounds for name, rounds in seen.items() if name != again or name in contenders.compared
            }
        rolling = judged(seen, shown, contenders.compared, rolling_rounds.n_origins)
        evidence = dict.fromkeys(rolling.choices, rolling)
    if at_holdout := [name for name in contenders.compared if name not in evidence]:
        asked = {LOGGING, INCUMBENT, *contenders.compared}
        of_asked = {name: rounds for name, rounds in by_policy.items() if name in asked}
        last = judged(of_asked, identities.filter(window=Window.HOLDOUT), contenders.compared, 1)
        evidence |= dict.fromkeys(at_holdout, last)
    return Gate(terms.today, evidence, _withheld(domain, hand, min(n_new)))


def look_of(
    gate: Gate, workspace: Workspace, night: Night, domain: str, standing: Standing | None
) -> tuple[Gate, int]:
    """Return the gate, withheld where no look is due, and the number of its look; 1 where nothing can pass.

    A look is due where the evidence has grown by enough since the last one (`error_spending.is_due`).
    """
    if gate.withheld is not None:
        return gate, 1
    against = "" if standing is None else standing.elected_version
    shown = max(gate.evidence.values(), key=lambda evidence: evidence.n_rounds)
    look = Look(domain, against, night.run_id, shown.n_rounds, shown.judged_to.isoformat())
    before = looks_before(workspace, look)
    if before and before[-1].n_rounds:
        last = before[-1]
        n_new = shown.n_after(date.fromisoformat(last.until))
        if not is_due(n_new, last.n_rounds):
            numbers = {"n_new": n_new, "n_rounds": last.n_rounds, "share": GROWTH, "look": 1 + len(before)}
            return replace(gate, withheld=finding("between_looks", domain, **numbers)), 1
    record_look(workspace, look)
    return gate, 1 + len(before)


def _is_new(shown: pl.DataFrame, today: Today) -> NDArray[np.bool_]:
    """Return which rounds had no part in the election of the champion that serves today."""
    if today.standing is None:
        return np.ones(shown.height, np.bool_)
    return (shown["decided_at"] >= today.standing.elected_until).to_numpy()


def _withheld(domain: DomainPolicies, hand: Hand, n_new: int) -> Finding | None:
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


def _by_day(rounds: pl.DataFrame) -> dict[date, int]:
    """Return how many rounds were decided on each day."""
    return dict(rounds["decided_at"].dt.date().value_counts(sort=False).sort("decided_at").iter_rows())
