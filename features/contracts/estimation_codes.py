"""What to know of decisions that rest on estimated propensities."""

from collections.abc import Mapping

from features.contracts.finding_units import Meaning, Unit

_TESTED = {"other": Unit.NAME, "confidence": Unit.SHARE}

TESTS: Mapping[str, Meaning] = {
    "test_up_to_factor": Meaning(
        "a gain is shown with estimated propensities, so it is to be tested: it is no longer shown where the "
        "odds of what was logged are off by more than tipping_factor",
        {**_TESTED, "tipping_factor": Unit.NUMBER},
    ),
    "test_at_any_factor": Meaning(
        "the same, and it is shown however far the odds are off, up to the largest factor tried",
        {**_TESTED, "most": Unit.NUMBER},
    ),
    "test_at_no_factor": Meaning(
        "the same, but self-normalized importance sampling does not show it even where the odds are right",
        _TESTED,
    ),
}
"""Comparisons that would have promoted a policy, had the propensities been logged."""

ESTIMATED: Mapping[str, Meaning] = {
    "estimated_from_context": Meaning(
        "none of these rounds has a propensity, and enough was left to chance that it is estimated from the "
        "context: this share of the choices is foretold by it",
        {"n_rows": Unit.COUNT, "foreseen_share": Unit.SHARE},
    ),
}
"""Why an area's policies are judged by estimated propensities."""

ESTIMATES: Mapping[str, Meaning] = {
    "propensities_estimated": Meaning(
        "propensities were estimated; rarest: the one that a hundredth of the rounds lies below; "
        "known_factor: without the context the odds of 95 in 100 rounds would be off by at most this",
        {
            "n_rounds": Unit.COUNT,
            "foreseen_share": Unit.SHARE,
            "calibration_error": Unit.SHARE,
            "rarest": Unit.SHARE,
            "known_factor": Unit.NUMBER,
        },
    ),
    "logging_would_buy": Meaning(
        "what one change of logging would buy: as many rounds with logged propensities as judged tonight "
        "come in this many days, and can promote a policy without a test",
        {"n_rounds": Unit.COUNT, "n_days": Unit.COUNT},
    ),
}
"""Notes on estimated propensities, and on what logged ones would change."""
