from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from features.contracts.logs import LOGS
from features.simulator import parts as parts_module
from features.simulator.logs import ShopNight, simulate_shop_night
from features.simulator.settings import WorldName, WorldSettings
from features.simulator.shop import simulate
from features.simulator.world import World

DAYS = 28


@pytest.fixture(scope="module")
def personal() -> World:
    return World.create(WorldSettings(world="personal", items=300))


@pytest.fixture(scope="module")
def nights(personal: World) -> list[ShopNight]:
    return [simulate_shop_night(personal, personal.open(day)) for day in range(DAYS)]


@pytest.fixture(scope="module")
def impressions(nights: list[ShopNight]) -> pl.DataFrame:
    return pl.concat([night.impressions for night in nights])


@pytest.fixture(scope="module")
def views(nights: list[ShopNight]) -> pl.DataFrame:
    """Those that no impression led to."""
    return pl.concat([night.events for night in nights]).filter(pl.col("impression_id").is_null())


def view_counts(world: World, views: pl.DataFrame) -> NDArray[np.float64]:
    """float64[U, A]."""
    counts = np.zeros((len(world.user_ids), len(world.item_ids)))
    users = world.people.ids.positions(views["user_id"].to_list())
    np.add.at(counts, (users, world.catalog.ids.positions(views["item_id"].to_list())), 1.0)
    return counts


def correlation_over_users(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Of two tables [U, A], each item less its mean over users."""
    return float(np.corrcoef((one - one.mean(axis=0)).ravel(), (other - other.mean(axis=0)).ravel())[0, 1])


def test_active_users_view_ten_to_twenty_pages(views: pl.DataFrame, impressions: pl.DataFrame) -> None:
    assert views["event_type"].unique().to_list() == ["view"]
    assert views["event_id"].is_duplicated().sum() == 0
    assert 10 < len(views) / impressions["user_id"].n_unique() < 20


def test_pages_come_in_sessions_of_ten_minutes_and_one_user(views: pl.DataFrame) -> None:
    sessions = views.group_by("session_id").agg(
        pl.len(),
        pl.col("user_id").n_unique(),
        lasts=pl.col("occurred_at").max() - pl.col("occurred_at").min(),
    )
    assert sessions["user_id"].unique().to_list() == [1]
    assert sessions["lasts"].dt.total_seconds().to_numpy().max() < 600
    assert 2.5 < float(sessions["len"].to_numpy().mean()) < 3.5


def test_pages_of_a_visit_lie_strictly_before_what_it_shows(
    views: pl.DataFrame, impressions: pl.DataFrame
) -> None:
    visits = impressions.unique("session_id").select("session_id", "shown_at", shown_to="user_id")
    before = views.join(visits, on="session_id")
    assert (before["occurred_at"] < before["shown_at"]).all()
    assert (before["user_id"] == before["shown_to"]).all()
    assert 0.1 < before["session_id"].n_unique() / len(visits) < 0.3
    # the others belong to no visit
    assert 0.3 < len(before) / len(views) < 0.7


def test_nobody_views_before_signing_up_or_what_is_not_launched(personal: World, views: pl.DataFrame) -> None:
    day = personal.days(views["occurred_at"])
    users = personal.people.ids.positions(views["user_id"].to_list())
    items = personal.catalog.ids.positions(views["item_id"].to_list())
    assert (personal.people.first_day[users] <= day).all()
    assert (personal.catalog.launch_day[items] <= day).all()


def test_events_keep_their_contract(nights: list[ShopNight]) -> None:
    for night in nights[:2]:
        LOGS["events"].validate(night.events.select(LOGS["events"].column_names()), cast=True)


def test_popular_pages_are_opened_more(personal: World, views: pl.DataFrame) -> None:
    counts = view_counts(personal, views).sum(axis=0)
    assert 0.3 < np.sort(counts)[::-1][:30].sum() / counts.sum() < 0.6


def test_views_predict_clicks(personal: World, views: pl.DataFrame) -> None:
    counts = view_counts(personal, views)
    users = np.flatnonzero(counts.sum(axis=1) >= 5)
    attraction = personal.click_model.attraction(users[:, None], np.arange(300), DAYS)
    share = counts[users] / counts[users].sum(axis=1, keepdims=True)
    assert correlation_over_users(share, attraction) > 0.2


def test_views_of_other_items_predict_clicks_too(personal: World, views: pl.DataFrame) -> None:
    # what was viewed together by others: the leading directions of users x items, popularity taken off
    counts = view_counts(personal, views)
    popular = counts.sum(axis=0) + 1.0
    surprise = (counts - counts.sum(axis=1, keepdims=True) * popular / popular.sum()) / np.sqrt(popular)
    _, _, directions = np.linalg.svd(surprise, full_matrices=False)
    score = surprise @ directions[:5].T @ directions[:5] / np.sqrt(popular)
    users = np.flatnonzero(counts.sum(axis=1) >= 5)
    unseen = counts[users] == 0
    attraction = personal.click_model.attraction(users[:, None], np.arange(300), DAYS)
    liked, guessed = (table - table.mean(axis=0) for table in (attraction, score[users]))
    assert np.corrcoef(liked[unseen], guessed[unseen])[0, 1] > 0.5


@pytest.mark.parametrize("name", ["strong", "personal"])
def test_work_in_parts_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: WorldName
) -> None:
    settings = WorldSettings(users=60, days=2, world=name)
    whole = simulate(settings, tmp_path / "whole")
    monkeypatch.setattr(parts_module, "_CELLS", 100)
    in_parts = simulate(settings, tmp_path / "parts")
    for path in whole.folder.rglob("*.csv"):
        assert path.read_bytes() == (in_parts.folder / path.relative_to(whole.folder)).read_bytes()


def test_true_rewards_in_parts_are_the_same(personal: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def truth() -> NDArray[np.float64]:
        rewards = personal.logged_rewards(
            "recommendation",
            personal.user_ids[:40],
            personal.item_ids[::-7],
            shown_ids=[personal.item_ids[0]] * 40,
            slot=np.arange(40) % 3 + 1,
            day=np.arange(40) % 4,
        )
        return np.column_stack([rewards.of_action, rewards.of_log])

    whole = truth()
    monkeypatch.setattr(parts_module, "_CELLS", 1000)
    np.testing.assert_array_equal(truth(), whole)


def test_two_thousand_items_can_be_shown_viewed_and_judged() -> None:
    world = World.create(WorldSettings(users=300, items=2000, world="personal"))
    day = world.open(1)
    night = simulate_shop_night(world, day)
    assert (night.impressions["propensity"] > 0).all()
    np.testing.assert_allclose(day.marginals.sum(axis=2), 1.0)
    shown = night.impressions["item_id"].to_list()
    truth = world.logged_rewards(
        "recommendation",
        night.impressions["user_id"].to_list(),
        world.item_ids,
        shown_ids=shown,
        slot=night.impressions["slot"].to_numpy(),
        day=np.ones(len(shown), dtype=np.int64),
    )
    assert truth.of_action.shape == (len(shown), 2000)
    assert 0.02 < truth.of_log.mean() < 0.2
