"""Arms that ran at once: each one's estimate from another arm's log, beside what it was seen to earn."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.pages.cells import heads, is_right, measured, ratioed, rounded, text
from reports.summaries.arm_checks import ArmCheck
from reports.summaries.formatting import RewardFormat
from reports.summaries.printed_table import Cell, PrintedTable, first_rows
from reports.summaries.suppression import SMALLEST_GROUP
from reports.wording.catalog import Catalog
from reports.wording.evaluation import arms_conclusion
from reports.wording.sentences import say

SOURCE = "out_arm_checks"


@dataclass(frozen=True)
class ArmEvidence:
    """What the checks come to, and the table of them."""

    conclusion: str
    table: PrintedTable


def arm_evidence(checks: Sequence[ArmCheck], reward: RewardFormat, catalog: Catalog) -> ArmEvidence | None:
    """Return the evidence, or None where no two arms ran on the same days."""
    if not checks:
        return None
    reward = reward.resized([(check.value, check.lower, check.upper) for check in checks])
    trusted = [check for check in checks if check.is_trusted]
    columns = heads(
        catalog, "surface", "arm", "log_of", "estimate#", "observed#", "inside", "ess#", "mean_weight#"
    )
    return ArmEvidence(
        conclusion=arms_conclusion(
            sum(check.is_covered for check in trusted), len(trusted), len(checks) - len(trusted), catalog
        ),
        table=first_rows(
            catalog.text("caption.arms"),
            columns,
            [_row(check, reward, catalog) for check in checks],
            SOURCE,
            whys=[
                "" if check.is_trusted else say(check.findings, smallest=SMALLEST_GROUP, catalog=catalog)
                for check in checks
            ],
        ),
    )


def _row(check: ArmCheck, reward: RewardFormat, catalog: Catalog) -> tuple[Cell, ...]:
    numbers = catalog.numbers
    estimate = numbers.reward_estimate(reward, check.value, check.lower, check.upper)
    observed = numbers.reward_estimate(
        reward, check.observed_value, check.observed_lower, check.observed_upper
    )
    refused = Cell(catalog.text("arms.refused_value"))
    return (
        text(check.surface, catalog),
        text(check.policy_version, catalog),
        text(check.logged_by, catalog),
        measured(estimate, check.value) if check.is_trusted else refused,
        measured(observed, check.observed_value),
        is_right(check.is_covered, catalog) if check.is_trusted else text(None, catalog),
        rounded(check.ess, catalog),
        ratioed(check.mean_weight, catalog),
    )
