"""A night to print whose propensities are estimated: the demo shop's, with its candidate to be tested."""

import polars as pl

from features.contracts.findings import Finding, finding, from_json
from flows.night_folder import Note
from flows.stages.worded import worded, worded_manifest
from tests.reports.sample_nights import SampleNight, demo_night
from tests.reports.sample_rows import table

WHY = finding("estimated_from_context", "recommendation", n_rows=199_000, foreseen_share=0.21)
BOUGHT = finding("logging_would_buy", "recommendation", n_rounds=144_630, n_days=21)
OF_LOG = finding(
    "propensities_estimated",
    "recommendation",
    n_rounds=199_000,
    foreseen_share=0.21,
    calibration_error=0.004,
    rarest=0.012,
    known_factor=1.31,
)


def tested(tipping_factor: float | None) -> Finding:
    """Return why the candidate is to be tested, by the factor that turns its lead; None for none."""
    numbers: dict[str, float | str] = {"other": "incumbent", "confidence": 0.95}
    if tipping_factor is None:
        return finding("test_at_any_factor", "maml", most=1000.0, **numbers)
    if tipping_factor == 1.0:
        return finding("test_at_no_factor", "maml", **numbers)
    return finding("test_up_to_factor", "maml", tipping_factor=tipping_factor, **numbers)


def estimated_night(
    tipping_factor: float | None = 1.42, unproven: dict[str, Finding] | None = None
) -> SampleNight:
    """Return the night; unproven: domains whose lists serve beside the verdict."""
    demo = demo_night()
    verdicts = demo.tables["out_verdicts"]
    of_gate = verdicts.filter(domain="recommendation", segment_id="all")
    said = worded([tested(tipping_factor), *from_json(of_gate["findings"][0])])
    is_asked = (pl.col("domain") == "recommendation") & (pl.col("segment_id") == "all")
    changed = {"verdict": "test", "champion": "incumbent", **said}
    rows = [
        {
            "run_id": of_gate["run_id"][0],
            "domain": "recommendation",
            "policy": "maml",
            "other": "incumbent",
            "odds_factor": factor,
            "bound_lower": 0.0131 - 0.02 * (factor - 1),
            "bound_upper": 0.0131 + 0.03 * (factor - 1),
            "lower": 0.009 - 0.02 * (factor - 1),
            "upper": 0.017 + 0.03 * (factor - 1),
            "tipping_factor": tipping_factor,
            "n_rounds": 144_630,
            "ess": 31_818.6,
        }
        for factor in (1.0, 1.5, 2.0)
    ]
    notes = [Note("recommendation", "", found) for found in (OF_LOG, BOUGHT)]
    return SampleNight(
        demo.tables
        | {
            "out_verdicts": verdicts.with_columns(
                pl.when(is_asked).then(pl.lit(value)).otherwise(pl.col(name).cast(pl.String)).alias(name)
                for name, value in changed.items()
            ).with_columns(
                pl.when(domain="recommendation")
                .then(pl.lit("estimated"))
                .otherwise(pl.col("evidence_level").cast(pl.String))
                .alias("evidence_level")
            ),
            "out_sensitivity": table("out_sensitivity", rows),
        },
        demo.manifest | worded_manifest({}, unproven or {}, notes, estimated={"recommendation": WHY}),
    )
