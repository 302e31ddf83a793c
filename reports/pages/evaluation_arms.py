"""Arms that ran at once: each one's estimate from another arm's log, beside what it was seen to earn."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports import wording
from reports.pages.cells import heads, measured, ratioed, rounded, text
from reports.summaries.arm_checks import ArmCheck
from reports.summaries.formatting import RewardFormat
from reports.summaries.printed_table import Cell, Mark, PrintedTable, first_rows
from reports.summaries.suppression import SMALLEST_GROUP
from reports.wording.sentences import say

SOURCE = "out_arm_checks"


@dataclass(frozen=True)
class ArmEvidence:
    """What the checks come to, and the table of them."""

    conclusion: str
    table: PrintedTable


def arm_evidence(checks: Sequence[ArmCheck], reward: RewardFormat) -> ArmEvidence | None:
    """Return the evidence, or None where no two arms ran on the same days."""
    if not checks:
        return None
    reward = reward.resized([(check.value, check.lower, check.upper) for check in checks])
    trusted = [check for check in checks if check.is_trusted]
    columns = heads(
        "Surface",
        "Arm",
        "Log of",
        "Estimate (interval)#",
        "Observed (interval)#",
        "Inside",
        "ESS#",
        "Mean weight#",
    )
    return ArmEvidence(
        conclusion=wording.arms_conclusion(
            sum(check.is_covered for check in trusted), len(trusted), len(checks) - len(trusted)
        ),
        table=first_rows(
            "Reward per round of each arm, estimated from another arm's log and observed in its own",
            columns,
            [_row(check, reward) for check in checks],
            SOURCE,
            whys=[
                "" if check.is_trusted else say(check.findings, smallest=SMALLEST_GROUP) for check in checks
            ],
        ),
    )


def _row(check: ArmCheck, reward: RewardFormat) -> tuple[Cell, ...]:
    estimate = reward.estimate(check.value, check.lower, check.upper)
    return (
        text(check.surface),
        text(check.policy_version),
        text(check.logged_by),
        measured(estimate, check.value) if check.is_trusted else Cell(wording.REFUSED),
        measured(
            reward.estimate(check.observed_value, check.observed_lower, check.observed_upper),
            check.observed_value,
        ),
        _inside(check),
        rounded(check.ess),
        ratioed(check.mean_weight),
    )


def _inside(check: ArmCheck) -> Cell:
    if not check.is_trusted:
        return text(None)
    return Cell("yes", mark=Mark("✓", "good")) if check.is_covered else Cell("no", mark=Mark("✕", "bad"))
