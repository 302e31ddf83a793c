"""Slates of tomorrow: contract, propensities, and draws that belong to their target."""

from datetime import date

import numpy as np
import polars as pl
import pytest
import torch

from features.contracts.recommendation import Recommendations
from features.errors import InputDataError
from offline_rl.decisions.item_scores import ItemScores
from offline_rl.decisions.recommendation.slates import (
    Serving,
    recommend,
    recommend_in_blocks,
)
from offline_rl.decisions.served_policy import continued, promoted
from offline_rl.decisions.slate_chances import Chances, SlateChances
from offline_rl.policies.exploration import explored_marginals
from reports.wording.sentences import say

SEGMENTS = ["new", "loyal"]
ITEMS = ["hat", "shoe", "sock", "belt"]
NIGHT = date(2026, 1, 5)
SCORES = ItemScores(
    mean=np.arange(8).reshape(2, 4) / 100 + 0.05,
    lower=np.arange(8).reshape(2, 4) / 100,
    upper=np.arange(8).reshape(2, 4) / 100 + 0.2,
)
SERVING = Serving(
    SEGMENTS,
    ITEMS,
    SCORES,
    [
        continued("bts", "baseline", "maml", "hold", ()),
        promoted("maml-1", "segment", "maml", ()),
    ],
    say,
)
WEIGHTS = torch.tensor(
    [[[0.7, 0.1, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1]], [[0.25, 0.25, 0.25, 0.25], [0.25, 0.25, 0.25, 0.25]]]
)


def targets(n: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "user_key": [f"user-{(7 * i) % n:05d}" for i in range(n)],
            "segment_id": [SEGMENTS[i % 2] for i in range(n)],
            "surface": ["home"] * n,
        }
    )


# The shop's own policy explores nothing, the learned one one slate in five.
EXPLORATION = torch.tensor([0.0, 0.2])


def policy_of(frame: pl.DataFrame) -> Chances:
    segment = np.array([SEGMENTS.index(name) for name in frame["segment_id"]])

    def chances(rows: np.ndarray) -> SlateChances:
        available = torch.ones(len(rows), 4, dtype=torch.bool)
        return SlateChances(WEIGHTS[segment[rows]].log(), available, EXPLORATION[segment[rows]])

    return chances


def recommended(frame: pl.DataFrame, *, seed: int = 0, as_of: date = NIGHT) -> pl.DataFrame:
    return recommend(frame, policy_of(frame), SERVING, run_id="run", as_of=as_of, seed=seed)


def test_rows_satisfy_the_contract_in_order() -> None:
    rows = recommended(targets(101))
    assert Recommendations.is_valid(rows)
    assert rows.height == 202
    assert rows.equals(rows.sort("user_key", "surface", "slot_rank"))
    assert not rows.select("user_key", "surface", "item_id").is_duplicated().any()


@pytest.mark.parametrize("place", [0, 1])
def test_propensity_is_the_slot_marginal_and_the_draws_follow_it(place: int) -> None:
    rows = recommended(targets(20_000)).filter(segment_id=SEGMENTS[place])
    everything = torch.ones(1, 4, dtype=torch.bool)
    marginals = explored_marginals(WEIGHTS[place, None].log(), everything, EXPLORATION[place, None])[0]
    for (slot_rank, item_id), drawn in rows.group_by("slot_rank", "item_id"):
        expected = marginals[slot_rank - 1, ITEMS.index(item_id)].item()
        assert drawn["propensity"].to_list() == pytest.approx([expected] * drawn.height, abs=1e-12)
        assert drawn.height / 10_000 == pytest.approx(
            expected, abs=5 * (expected * (1 - expected) / 1e4) ** 0.5
        )


def test_slate_log_probability_is_that_of_the_whole_slate() -> None:
    rows = recommended(targets(2_000)).filter(segment_id="new")
    slates = rows.group_by("user_key", maintain_order=True).agg("item_id", "slate_log_probability")
    for items, log_probabilities in slates.select("item_id", "slate_log_probability").iter_rows():
        first, second = (ITEMS.index(item) for item in items)
        expected = WEIGHTS[0, 0, first] * WEIGHTS[0, 1, second] / (1 - WEIGHTS[0, 1, first])
        assert np.exp(log_probabilities).tolist() == pytest.approx([expected.item()] * 2, rel=1e-6)


def test_a_draw_does_not_depend_on_the_other_targets() -> None:
    everyone = recommended(targets(500))
    some = targets(500).filter(pl.col("user_key") > "user-00250").sample(fraction=1.0, shuffle=True, seed=1)
    assert recommended(some).equals(everyone.filter(pl.col("user_key") > "user-00250"))


def test_blocks_are_the_same_rows() -> None:
    frame = targets(100)
    blocks = recommend_in_blocks(
        frame, policy_of(frame), SERVING, run_id="run", as_of=NIGHT, seed=0, targets_at_once=7
    )
    assert pl.concat(list(blocks)).equals(recommended(frame))


def test_seed_night_and_surface_change_the_draw() -> None:
    frame = targets(200)
    home = recommended(frame)["item_id"]
    assert recommended(frame)["item_id"].equals(home)
    assert not recommended(frame, seed=1)["item_id"].equals(home)
    assert not recommended(frame, as_of=date(2026, 1, 6))["item_id"].equals(home)
    assert not recommended(frame.with_columns(surface=pl.lit("cart")))["item_id"].equals(home)


def test_a_slate_that_explores_says_so_in_every_row() -> None:
    rows = recommended(targets(4_000))
    new, loyal = rows.filter(segment_id="new"), rows.filter(segment_id="loyal")
    assert not new["is_exploration"].any()
    assert new["reason_code"].unique().to_list() == ["held"]
    by_slate = loyal.group_by("user_key").agg(pl.col("is_exploration").n_unique())
    assert by_slate["is_exploration"].unique().to_list() == [1]
    assert loyal["is_exploration"].mean() == pytest.approx(0.2, abs=0.03)
    explored = loyal.filter("is_exploration", slot_rank=1)
    assert explored["reason_code"].unique().to_list() == ["exploration"]
    assert explored["reason_text"][0].startswith("The learned policy serves here. This slate is drawn")


def test_scores_and_policies_are_those_of_the_segment() -> None:
    rows = recommended(targets(200)).filter(segment_id="loyal", item_id="sock")
    expected = [0.11, 0.06, 0.26, "segment", "maml-1"]
    names = ["score", "score_lower", "score_upper", "fallback_level", "policy_version"]
    for row in rows.select(names).iter_rows():
        assert row == pytest.approx(expected)


def test_empty_slots_have_no_row() -> None:
    frame = targets(1)
    belt = torch.tensor([[0.0, 0, 0, 1]])
    only_belt = SlateChances(belt.log().expand(1, 2, 4), belt > 0, torch.tensor([0.1]))
    rows = recommend(frame, lambda _: only_belt, SERVING, run_id="run", as_of=NIGHT, seed=0)
    [row] = rows.select("slot_rank", "item_id", "propensity", "slate_log_probability").rows()
    assert row == (1, "belt", 1.0, pytest.approx(0.0, abs=1e-15))


def test_no_targets_no_rows() -> None:
    rows = recommended(targets(0).cast(pl.String))
    assert rows.height == 0
    assert rows.schema == recommended(targets(2)).schema


def test_a_target_twice_is_refused() -> None:
    with pytest.raises(
        InputDataError, match="user-00000 is asked for a slate on surface home more than once"
    ):
        recommended(pl.concat([targets(2), targets(2)]).sort("user_key"))


def test_an_unknown_segment_is_refused() -> None:
    frame = targets(2)
    lost = frame.with_columns(segment_id=pl.lit("lost"))
    with pytest.raises(InputDataError, match=r"2 targets belong to segments that no policy serves.*lost"):
        recommend(lost, policy_of(frame), SERVING, run_id="run", as_of=NIGHT, seed=0)
