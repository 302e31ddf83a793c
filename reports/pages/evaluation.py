"""Evaluation: what each policy is worth, for everyone and for each segment, and how learning went."""

from dataclasses import dataclass
from functools import partial

from reports.pages.evaluation_arms import ArmEvidence, arm_evidence
from reports.pages.evaluation_learning import LearningEvidence, learning_evidence
from reports.pages.evaluation_segments import SegmentEvidence, segment_evidence
from reports.pages.evaluation_sensitivity import SensitivityEvidence, sensitivity_evidence
from reports.pages.evaluation_unseen import UnseenEvidence, unseen_evidence
from reports.pages.evaluation_values import ValueEvidence, value_evidence
from reports.summaries.adaptation_curves import STEPS, SUPPORT, adaptation_curves
from reports.summaries.arm_checks import arm_checks
from reports.summaries.formatting import RewardFormat
from reports.summaries.learner_comparisons import learner_comparisons
from reports.summaries.learning_curves import learning_curves
from reports.summaries.night import DOMAINS, Night
from reports.summaries.notes import grouped_notes
from reports.summaries.policy_values import policy_values
from reports.summaries.segment_tasks import segment_tasks
from reports.summaries.sensitivity import sensitivity
from reports.summaries.suppression import SMALLEST_GROUP
from reports.summaries.verdicts import for_everyone, verdicts
from reports.wording.catalog import Catalog
from reports.wording.sentences import say


@dataclass(frozen=True)
class DomainEvidence:
    """What the page prints of one domain; None where the night has no rows for a part.

    reasons: the gate's reasons for everyone, in full.
    """

    title: str
    anchor: str
    reasons: str
    values: ValueEvidence | None
    sensitivity: SensitivityEvidence | None
    segments: SegmentEvidence | None
    learning: LearningEvidence | None
    unseen: UnseenEvidence | None
    arms: ArmEvidence | None


def evaluation(
    night: Night, formats: dict[str, RewardFormat], catalog: Catalog
) -> tuple[DomainEvidence, ...]:
    """Return the evidence of each domain that has any."""
    values = policy_values(night.rows("out_policy_values"))
    records = verdicts(night.rows("out_verdicts"))
    has_users = night.manifest.unit == "user"
    notes = grouped_notes(night.manifest.notes, partial(say, catalog=catalog))
    domains = []
    for domain in DOMAINS:
        own_values = [value for value in values if value.domain == domain]
        own_verdicts = [verdict for verdict in records if verdict.domain == domain]
        reasons = [found for verdict in for_everyone(own_verdicts) for found in verdict.findings]
        evidence = DomainEvidence(
            title=catalog.text(f"area.{domain}"),
            anchor=f"evaluation-{domain}",
            reasons=say(reasons, smallest=SMALLEST_GROUP, catalog=catalog),
            values=value_evidence(own_values, own_verdicts, formats[domain], catalog, has_users=has_users),
            sensitivity=sensitivity_evidence(
                sensitivity(night.rows("out_sensitivity"), domain, own_verdicts), formats[domain], catalog
            ),
            segments=segment_evidence(
                own_values, own_verdicts, formats[domain], catalog, has_users=has_users
            ),
            learning=learning_evidence(
                learning_curves(night.rows("out_learning_curves"), domain),
                segment_tasks(night.rows("out_segment_tasks"), domain),
                [note for note in notes if note.domain == domain],
                formats[domain],
                catalog,
                has_users=has_users,
            ),
            unseen=_unseen(night, domain, formats[domain], catalog) if own_values else None,
            arms=arm_evidence(arm_checks(night.rows("out_arm_checks"), domain), formats[domain], catalog),
        )
        if evidence.values or evidence.segments or evidence.learning or evidence.arms:
            domains.append(evidence)
    return tuple(domains)


def _unseen(night: Night, domain: str, reward: RewardFormat, catalog: Catalog) -> UnseenEvidence | None:
    """Return what new segments say; None of nights that were published before they were evaluated."""
    if "out_learner_comparisons" not in night.tables:
        return None
    curves = night.rows("out_adaptation_curves")
    tasks = segment_tasks(night.rows("out_segment_tasks"), domain)
    return unseen_evidence(
        learner_comparisons(night.rows("out_learner_comparisons"), domain),
        adaptation_curves(curves, domain, SUPPORT),
        adaptation_curves(curves, domain, STEPS),
        reward,
        catalog,
        n_unseen=sum(task.split == "meta_test" and task.n_holdout > 0 for task in tasks),
    )
