"""out_policy_values → what each policy is worth, and which estimator the report leads with."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from features.codes import ALL_SEGMENTS
from features.contracts.findings import Finding, from_json
from reports.summaries.night import DOMAINS

# Doubly robust leads; self-normalized importance sampling is its check, because it uses no reward model.
LEADING = ("dr", "doubly_robust", "sndr")
CHECKING = ("snips", "ips", "clipped_ips")


@dataclass(frozen=True)
class PolicyValue:
    """One row of out_policy_values, in reward per round.

    interval_findings: how the interval was made, first by which method, and what it is worth.
    """

    domain: str
    segment_id: str
    policy: str
    estimator: str
    value: float | None
    lower: float | None
    upper: float | None
    n_rounds: int
    n_users: int
    ess: float | None
    mean_weight: float | None
    max_weight: float | None
    supported_share: float | None
    interval_findings: tuple[Finding, ...]
    true_value: float | None

    @property
    def covers_truth(self) -> bool | None:
        """Whether the interval contains the simulated world's value; None where that is unknown."""
        if self.true_value is None or self.lower is None or self.upper is None:
            return None
        return self.lower <= self.true_value <= self.upper

    @property
    def ess_share(self) -> float | None:
        """Effective sample size over rounds."""
        return None if self.ess is None or self.n_rounds == 0 else self.ess / self.n_rounds


def policy_values(rows: pl.DataFrame) -> tuple[PolicyValue, ...]:
    """Return the rows by domain, everyone first, the highest value first."""
    records = [
        PolicyValue(**row | {"interval_findings": from_json(row["interval_findings"])})
        for row in rows.select(list(PolicyValue.__dataclass_fields__)).to_dicts()
    ]
    return tuple(
        sorted(
            records,
            key=lambda v: (
                DOMAINS.index(v.domain),
                v.segment_id != ALL_SEGMENTS,
                v.segment_id,
                -(v.value if v.value is not None else float("-inf")),
                v.policy,
                v.estimator,
            ),
        )
    )


def leading_estimators(values: Sequence[PolicyValue]) -> tuple[str, ...]:
    """Return the estimator that leads and the one that checks it; fewer where the table has fewer.

    Hyperparameters follow a colon (`dr:10`) and do not matter here.
    """
    present = sorted({value.estimator for value in values})
    chosen: list[str] = []
    for family in (LEADING, CHECKING):
        ranked = [
            (family.index(name.split(":")[0]), name) for name in present if name.split(":")[0] in family
        ]
        if ranked:
            chosen.append(min(ranked)[1])
    return tuple(chosen or present[:1])
