"""out_arm_checks → what another arm earned, estimated from the log of one arm and as observed."""

from dataclasses import dataclass

import polars as pl

from features.contracts.findings import Finding, from_json


@dataclass(frozen=True)
class ArmCheck:
    """One row of out_arm_checks, in reward per round."""

    surface: str
    policy_version: str
    logged_by: str
    value: float | None
    lower: float | None
    upper: float | None
    observed_value: float | None
    observed_lower: float | None
    observed_upper: float | None
    is_covered: bool
    is_trusted: bool
    findings: tuple[Finding, ...]
    n_rounds: int
    ess: float | None
    mean_weight: float | None


def arm_checks(rows: pl.DataFrame, domain: str) -> tuple[ArmCheck, ...]:
    """Return the checks of a domain by surface, arm and log."""
    own = rows.filter(domain=domain).sort("surface", "policy_version", "logged_by")
    return tuple(
        ArmCheck(**row | {"findings": from_json(row["findings"])})
        for row in own.select(list(ArmCheck.__dataclass_fields__)).to_dicts()
    )
