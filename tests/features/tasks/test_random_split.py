from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.codes import LATE, Window
from features.rewards import Reward
from features.tasks.evidence import mark_evidence
from features.tasks.random_split import BY_ROUND, BY_TIME, BY_USER, dealt, random_origins, random_windows
from features.tasks.settings import TaskSettings

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
SETTINGS = TaskSettings(
    reward=Reward.of("click"),
    attribution_hours=24,
    segments_by=(),
    clusters=0,
    min_rounds=100,
    salt="s",
    support_share=0.5,
    query_share=0.25,
    evidence_policies=(),
    incumbent_policy="",
    seed=0,
)


def experiment(n: int, n_users: int | None = None) -> pl.DataFrame:
    """Rounds of one moment, of users in turn, or of nobody."""
    users = [None if n_users is None else f"u{number % n_users}" for number in range(n)]
    return pl.DataFrame(
        {
            "round_id": [f"r{number}" for number in range(n)],
            "user_key": pl.Series(users, dtype=pl.String),
            "decided_at": pl.Series([AT] * n, dtype=pl.Datetime("us", "UTC")),
            "propensity": [0.5] * n,
            "policy_version": ["coin"] * n,
        }
    )


def marked(rounds: pl.DataFrame) -> tuple[pl.DataFrame, str]:
    found, split = mark_evidence(rounds, SETTINGS, date(2026, 1, 7), "recommendation")
    return found, split.by


def test_a_log_of_one_moment_is_dealt_out_in_the_shares_of_the_windows() -> None:
    found, by = marked(experiment(4000))

    assert by == BY_ROUND
    shares = [(found["window"] == window).mean() for window in (Window.SUPPORT, Window.QUERY, Window.HOLDOUT)]
    # three standard errors of 4,000 coins
    assert all(abs(share - wanted) < 0.024 for share, wanted in zip(shares, (0.5, 0.25, 0.25), strict=True))


def test_nobody_both_teaches_and_judges() -> None:
    found, by = marked(experiment(4000, n_users=300))

    assert by == BY_USER
    assert found.group_by("user_key").agg(pl.col("window").n_unique())["window"].to_list() == [1] * 300
    assert found.group_by("user_key").agg(pl.col("origin").n_unique())["origin"].to_list() == [1] * 300


def test_times_decide_where_there_are_times() -> None:
    spread = experiment(400).with_columns(
        decided_at=pl.col("decided_at") - pl.duration(hours=pl.int_range(pl.len()))
    )

    assert marked(spread)[1] == BY_TIME


@settings(deadline=None)
@given(st.permutations(range(12)))
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    rounds = experiment(12, n_users=5).with_columns(number=dealt(experiment(12, n_users=5), "s"))

    shuffled = rounds[order]

    assert dealt(shuffled, "s").to_list() == shuffled["number"].to_list()


def test_a_reward_that_may_still_come_judges_nothing() -> None:
    windows = random_windows(pl.Series([0.1, 0.6, 0.9]), pl.Series([False, True, True]), 0.5, 0.25)

    assert windows.to_list() == [Window.OPEN, Window.QUERY, Window.HOLDOUT]


def test_origins_by_hand() -> None:
    parts = [Window.SUPPORT, Window.SUPPORT, Window.QUERY, Window.HOLDOUT, Window.GAP, Window.OPEN]
    windows = pl.Series(parts, dtype=pl.Int8)

    found = random_origins(pl.Series([0.2, 0.3, 0.6, 0.9, 0.1, 0.9]), windows, 0.5)

    assert found.to_list() == [0, 1, 2, 3, LATE, LATE]


@pytest.mark.parametrize(("n_of_candidate", "n_judging"), [(1000, 3000), (3950, 4000)])
def test_only_what_serves_learns_from_a_tried_candidate_where_the_others_are_enough(
    n_of_candidate: int, n_judging: int
) -> None:
    versions = ["maml-2026-01-05-0a1b2c3d"] * n_of_candidate + ["coin"] * (4000 - n_of_candidate)
    rounds = experiment(4000).with_columns(policy_version=pl.Series(versions))
    tried = replace(SETTINGS, tried_learners=("maml",))
    found, _ = mark_evidence(rounds, tried, date(2026, 1, 7), "recommendation")
    assert found["is_evidence"].all()
    judges = found.filter(pl.col("window") != Window.GAP)
    assert judges.height == n_judging
    assert set(found.filter(window=Window.GAP)["policy_version"]) <= {"maml-2026-01-05-0a1b2c3d"}
