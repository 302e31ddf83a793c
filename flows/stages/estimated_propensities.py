"""Estimated propensities: the tasks of a domain with an estimate for each round, and what is known of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.contracts.findings import finding
from features.contracts.outputs import EstimatedPropensities
from features.tasks.build import DomainTasks
from flows.night_folder import Note
from offline_rl.ope.models.choices_of_log import estimate_of_log, factor_of_context

RAREST = 0.01
"""Quantile of the propensities that the note names: of these rounds a weight can be large."""


@dataclass(frozen=True)
class Estimated:
    """tasks: with propensities. table: part of out_estimated_propensities. notes: what readers must know."""

    tasks: DomainTasks
    table: pl.DataFrame
    notes: Sequence[Note]


def places_of(tasks: DomainTasks) -> NDArray[np.int64]:
    """Return which policy chose on which surface, numbered from 0, [n]."""
    place = pl.struct("policy_version", "surface").rank("dense")
    return tasks.evidence.select(place.cast(pl.Int64) - 1).to_series().to_numpy()


def with_estimates(tasks: DomainTasks, run_id: str, *, seed: int) -> Estimated:
    """Estimate the propensity of every round of evidence, by models that did not see its user."""
    place = places_of(tasks)
    found = estimate_of_log(tasks.arrays, place, seed=seed)
    of_log = finding(
        "propensities_estimated",
        tasks.domain,
        n_rounds=len(found.propensity),
        foreseen_share=found.foreseen_share,
        calibration_error=found.calibration_error,
        known_factor=factor_of_context(tasks.arrays, place, found.propensity, seed=seed),
        rarest=float(pl.Series(found.propensity).quantile(RAREST, "linear") or 0.0),
    )
    rows = [
        {
            "run_id": run_id,
            "domain": tasks.domain,
            "probability_above": each.lower,
            "probability_up_to": each.upper,
            "n_pairs": each.n_pairs,
            "n_promised": each.expected,
            "n_chosen": each.chosen,
        }
        for each in found.reliability.bins
    ]
    return Estimated(
        tasks=replace(tasks, arrays={**tasks.arrays, "propensity": found.propensity}),
        table=EstimatedPropensities.validate(pl.DataFrame(rows), cast=True),
        notes=[Note(tasks.domain, "", each) for each in (of_log, *found.reasons)],
    )
