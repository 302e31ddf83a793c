"""What a segment of unknown visitors is shown: a distribution, never one draw for everybody."""

from datetime import date

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from features.contracts.findings import codes_of
from offline_rl.decisions.item_scores import ItemScores
from offline_rl.decisions.recommendation.segment_distributions import segment_distributions
from offline_rl.decisions.recommendation.slates import Serving
from offline_rl.decisions.served_policy import continued, promoted
from offline_rl.decisions.slate_chances import Chances, SlateChances

NIGHT = date(2026, 1, 5)
SERVING = Serving(
    ["new", "old"],
    ["blue", "none", "red"],
    ItemScores(*np.full((3, 2, 3), 0.1)),
    [promoted("mixed-1", "segment", "mixed", ()), continued("coin", "baseline", "mixed", "reject", ())],
    codes_of,
    ["Blue mail", None, "Red mail"],
)
EVERYONE = pl.DataFrame({"segment_id": ["old", "new"], "surface": ["mail", "mail"]})


def chances(weights: torch.Tensor, exploration: float = 0.1) -> Chances:
    """weights: [2, L, 3], of the rows of EVERYONE."""

    def of_rows(rows: np.ndarray) -> SlateChances:
        drawn = weights[torch.tensor(rows)]
        return SlateChances(drawn.log(), (drawn > 0).any(1), torch.full((len(rows),), exploration))

    return of_rows


def test_every_item_of_a_slot_has_its_probability() -> None:
    mostly_red = torch.tensor([[[0.25, 0.25, 0.5]], [[0.0, 0.5, 0.5]]])

    rows = segment_distributions(EVERYONE, chances(mostly_red), SERVING, run_id="r", as_of=NIGHT)

    found = rows.select("segment_id", "item_id", "item_name", pl.col("probability").round(6)).rows()
    assert found == [
        ("new", "none", None, 0.5),
        ("new", "red", "Red mail", 0.5),
        ("old", "blue", "Blue mail", 0.258333),
        ("old", "none", None, 0.258333),
        ("old", "red", "Red mail", 0.483333),
    ]
    assert rows["policy_version"].to_list() == ["mixed-1"] * 2 + ["coin"] * 3


@given(st.lists(st.floats(0.01, 1.0), min_size=12, max_size=12), st.floats(0, 1))
def test_the_probabilities_of_a_slot_add_up_to_one(weights: list[float], exploration: float) -> None:
    drawn = torch.tensor(weights).reshape(2, 2, 3)

    rows = segment_distributions(EVERYONE, chances(drawn, exploration), SERVING, run_id="r", as_of=NIGHT)

    sums = rows.group_by("segment_id", "surface", "slot_rank").agg(pl.col("probability").sum())
    assert sums.height == 4
    assert sums["probability"].to_list() == pytest.approx([1.0] * 4)


def test_nobody_to_serve_is_an_empty_table() -> None:
    rows = segment_distributions(
        EVERYONE.clear(), chances(torch.ones(2, 1, 3)), SERVING, run_id="r", as_of=NIGHT
    )

    assert rows.is_empty()
