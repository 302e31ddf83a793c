"""out_experiments → the experiment of an area tonight."""

from dataclasses import dataclass

import polars as pl

from features.contracts.findings import Finding, from_json


@dataclass(frozen=True)
class ExperimentSummary:
    """The experiment of an area; see `Experiments` in features/contracts/recommendation.py."""

    status: str
    candidate: str
    champion: str | None
    share: float
    n_users_candidate: int
    n_users_champion: int
    n_rounds_candidate: int
    n_rounds_champion: int
    value_candidate: float | None
    value_champion: float | None
    served_share: float | None
    difference: float | None
    lower: float | None
    upper: float | None
    confidence: float
    findings: tuple[Finding, ...]

    @property
    def share_tomorrow(self) -> float:
        """Share of the users that the candidate's arm has tomorrow; 0 where the experiment has ended."""
        return self.share if self.status == "running" else 0.0


def experiment_of(rows: pl.DataFrame, domain: str) -> ExperimentSummary | None:
    """Return the experiment of a domain, None without one; rows: of out_experiments."""
    for row in rows.filter(domain=domain).select(list(ExperimentSummary.__dataclass_fields__)).to_dicts():
        return ExperimentSummary(**row | {"findings": from_json(row["findings"])})
    return None
