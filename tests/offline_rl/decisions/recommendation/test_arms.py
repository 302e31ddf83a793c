"""Arms: who is in which follows from the user and the experiment alone; the table has one list a place."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from features.contracts.findings import Finding
from features.contracts.recommendation import Recommendations
from offline_rl.decisions.recommendation.arms import in_arms, in_candidate_arm
from offline_rl.experiments.tonight import ExperimentTonight

USERS = [f"{n:04x}" for n in range(400)]
TONIGHT = ExperimentTonight(
    "recommendation", "maml-1", "maml-1", "maml", 0.3, "running", Finding("champion_refitted", "maml"), 28
)


def rows(version: str, surface: str = "home", segment: str = "north") -> pl.DataFrame:
    frame = pl.DataFrame({"user_key": USERS}).with_columns(
        run_id=pl.lit("r"),
        as_of=pl.lit(date(2026, 1, 5)),
        segment_id=pl.lit(segment),
        surface=pl.lit(surface),
        slot_rank=pl.lit(1, pl.Int64),
        item_id=pl.lit("hat"),
        item_name=pl.lit(None, pl.String),
        score=pl.lit(0.5),
        propensity=pl.lit(0.5),
        slate_log_probability=pl.lit(-0.7),
        score_lower=pl.lit(0.4),
        score_upper=pl.lit(0.6),
        is_exploration=pl.lit(False),
        reason_code=pl.lit("held"),
        reason_text=pl.lit("held"),
        rule_ids=pl.lit(""),
        fallback_level=pl.lit("pooled"),
        policy_version=pl.lit(version),
        evidence_level=pl.lit("logged"),
        arm=pl.lit(None, pl.String),
        arm_probability=pl.lit(None, pl.Float64),
    )
    return Recommendations.validate(frame.select(Recommendations.column_names()), cast=True)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5])
def test_a_share_of_the_users_is_in_the_candidate_s_arm(share: float) -> None:
    users = [f"user {n}" for n in range(20_000)]
    found = in_candidate_arm(users, "one", share).mean()
    assert found == pytest.approx(share, abs=4 * (share * (1 - share) / 20_000) ** 0.5)


def test_a_user_s_arm_does_not_change_with_the_other_users_and_a_larger_share_keeps_the_smaller_one() -> None:
    alone = [bool(in_candidate_arm([user], "one", 0.3)[0]) for user in USERS[:50]]
    assert in_candidate_arm(USERS, "one", 0.3)[:50].tolist() == alone
    assert not (in_candidate_arm(USERS, "one", 0.3) & ~in_candidate_arm(USERS, "one", 0.5)).any()


def test_each_arm_is_served_by_its_policy_with_the_probability_of_the_arm() -> None:
    table = in_arms(rows("bts"), rows("maml-1"), TONIGHT)
    assert table["user_key"].to_list() == sorted(USERS)
    expected = in_candidate_arm(table["user_key"].to_list(), TONIGHT.experiment_id, 0.3)
    assert (table["policy_version"] == "maml-1").to_list() == expected.tolist()
    found = set(table.select("arm", "policy_version", "arm_probability").rows())
    assert found == {("candidate", "maml-1", 0.3), ("champion", "bts", 0.7)}


def test_a_protected_segment_keeps_today_s_policy_in_both_arms() -> None:
    table = in_arms(rows("bts"), rows("maml-1"), replace(TONIGHT, protected=("north",)))
    assert set(table["policy_version"]) == {"bts"}
    assert set(table["arm"]) == {"candidate", "champion"}


def test_a_list_for_any_place_makes_room_for_the_candidate_s() -> None:
    table = in_arms(rows("popularity-1", surface="all"), rows("maml-1"), TONIGHT)
    assert table.height == len(USERS)
    assert set(table.filter(arm="candidate")["surface"]) == {"home"}


def test_a_user_whom_the_candidate_does_not_know_keeps_today_s_list() -> None:
    known = rows("maml-1").head(100)
    table = in_arms(rows("bts"), known, TONIGHT)
    others = table.filter(~pl.col("user_key").is_in(known["user_key"].to_list()), arm="candidate")
    assert others.height > 50 and set(others["policy_version"]) == {"bts"}


def test_a_candidate_that_has_won_serves_all_and_nobody_is_in_an_arm() -> None:
    table = in_arms(rows("bts"), rows("maml-1"), replace(TONIGHT, status="promoted"))
    assert set(table["policy_version"]) == {"maml-1"}
    assert table["arm"].null_count() == len(USERS)
