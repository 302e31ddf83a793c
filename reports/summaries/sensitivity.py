"""out_sensitivity → how far the lead of the policy that asks stands, by what hidden odds may be off."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from reports.summaries.verdicts import Verdict, for_everyone


@dataclass(frozen=True)
class SensitivityRow:
    """One row of out_sensitivity, in reward per round."""

    policy: str
    other: str
    odds_factor: float
    bound_lower: float | None
    bound_upper: float | None
    lower: float | None
    upper: float | None
    tipping_factor: float | None


def sensitivity(rows: pl.DataFrame, domain: str, verdicts: Sequence[Verdict]) -> tuple[SensitivityRow, ...]:
    """Return the rows of the policy that asked in a domain, by the policy it is compared with and factor."""
    asked = [verdict.candidate for verdict in for_everyone(verdicts)]
    own = rows.filter(pl.col("domain") == domain, pl.col("policy").is_in(asked))
    ordered = own.sort("other", "odds_factor").select(list(SensitivityRow.__dataclass_fields__))
    return tuple(SensitivityRow(**row) for row in ordered.to_dicts())
