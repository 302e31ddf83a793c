"""Evidence on the propensities of a file: an audit of logged ones, the fit of estimated ones."""

from flows.commands.ope.evaluation_rounds import FileRounds
from flows.commands.ope.reread_probabilities import RereadProbabilities
from flows.commands.ope.round_files import RoundFile
from offline_rl.ope.models.estimated_propensities import POOR_CALIBRATION, EstimatedPropensities
from offline_rl.ope.trust.propensity_audit import audit_propensities
from offline_rl.ope.trust.propensity_identities import PropensityLog
from reports.summaries.policy_answer import LoggedPropensities, ModeledPropensities

SIGNIFICANCE = 0.001
"""Probability of a false alarm on a correct log; low, since an alarm refuses the answer."""


NOT_AUDITED = LoggedPropensities(findings=(), n_tests=0)
"""The evidence on probabilities of whole slates, and on densities of amounts: none."""


def propensity_evidence(file: RoundFile, read: FileRounds) -> LoggedPropensities | ModeledPropensities:
    """Return the evidence for and against the propensities of the rounds that were read."""
    if read.estimated is not None:
        return _modeled(read.estimated)
    least = read.least_logging_prob
    log = PropensityLog(
        action=read.action,
        propensity=read.rounds.propensity,
        cluster=read.rounds.cluster,
        n_actions=read.n_actions,
        probabilities=None if least is None else RereadProbabilities(file, read.n_actions),
    )
    return audited(log, least)


def audited(log: PropensityLog, least: float | None = None) -> LoggedPropensities:
    """Return the audit of one file's log.

    least: the smallest probability of any action, where all are logged.

    A file does not state which actions were available, and the sum of 1/p of an action that was out of stock
    half the time is correctly too small. So a sum that is too small counts only where `logging_probs` give
    every action a chance in every round. In other files, propensities that are too large everywhere show in
    the mean weight. A sum that is too large is wrong in any log.

    Needs about 90 bytes of memory per round, 190 with `logging_probs`, which are read twice more.
    """
    audit = audit_propensities(
        log, has_full_support=bool(least), least_propensity=least or None, significance=SIGNIFICANCE
    )
    return LoggedPropensities(audit.findings, audit.n_tests)


def _modeled(estimated: EstimatedPropensities) -> ModeledPropensities:
    assumption, *remarks = estimated.reasons
    return ModeledPropensities(
        note=estimated.note,
        assumption=assumption,
        remarks=tuple(remarks),
        calibration_error=estimated.calibration_error,
        max_calibration_error=POOR_CALIBRATION,
        foreseen_share=estimated.foreseen_share,
        is_identified=estimated.is_identified,
    )
