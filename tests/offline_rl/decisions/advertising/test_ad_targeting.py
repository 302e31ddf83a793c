"""Creative probabilities as a table for the ad server."""

import numpy as np
import polars as pl
import pytest

from features.contracts.advertising import AdTargeting
from offline_rl.decisions.advertising.ad_targeting import ad_targeting
from offline_rl.decisions.served_policy import continued, promoted

POLICIES = [
    promoted("maml-1", "segment", "maml", ()),
    continued("logged", "baseline", "maml", "reject", ()),
]


def targeted(probabilities: list[list[list[float]]]) -> pl.DataFrame:
    return ad_targeting(
        np.array(probabilities),
        scores=np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]),
        ess=np.array([100.0, 7.0]),
        segment_ids=["new", "loyal"],
        channels=["social", "search"],
        campaign_ids=["spring", "summer", "spring"],
        creative_ids=["a", "b", "c"],
        policies=POLICIES,
        run_id="run",
    )


def test_rows_are_possible_creatives_in_order() -> None:
    rows = targeted([[[0.5, 0.5, 0], [0, 0, 1.0]], [[0, 0, 0], [0.2, 0.3, 0.5]]])
    assert AdTargeting.is_valid(rows)
    keys = ["segment_id", "campaign_id", "channel", "creative_id"]
    assert rows.select(*keys, "probability", "score", "ess", "fallback_level", "policy_version").rows() == [
        ("loyal", "spring", "search", "a", 0.2, 0.4, 7.0, "baseline", "logged"),
        ("loyal", "spring", "search", "c", 0.5, 0.6, 7.0, "baseline", "logged"),
        ("loyal", "summer", "search", "b", 0.3, 0.5, 7.0, "baseline", "logged"),
        ("new", "spring", "search", "c", 1.0, 0.3, 100.0, "segment", "maml-1"),
        ("new", "spring", "social", "a", 0.5, 0.1, 100.0, "segment", "maml-1"),
        ("new", "summer", "social", "b", 0.5, 0.2, 100.0, "segment", "maml-1"),
    ]


def test_probabilities_that_do_not_sum_to_one_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"segment loyal on channel search .* sum to 0\.900000"):
        targeted([[[0.5, 0.5, 0], [0, 0, 1.0]], [[0, 0, 0], [0.2, 0.3, 0.4]]])
