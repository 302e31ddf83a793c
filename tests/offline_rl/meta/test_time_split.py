"""Judged by time: later rounds of all open segments say who leads, and by how sure a margin."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from features.errors import InputDataError
from offline_rl.logged_data import Tasks
from offline_rl.meta.item_rates import ItemRates
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.mixed_effects import MixedEffects, MixedMetaPolicy
from offline_rl.meta.pooled_reward_model import PooledRewardModel
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.meta.time_split import READ_OUT, TEMPERATURES, time_split, training_rounds
from offline_rl.policies.scored_policy import ScoredPolicy
from offline_rl.user_history import Touches, UserHistory
from tests.laws.learners import load_world, log_rounds, make_world, opposite_world

SETTINGS = LearningSettings()


def loaded(folder: Path, *, heterogeneity: float) -> Tasks:
    world = make_world(segments=12, items=6, click_rate=0.2, heterogeneity=heterogeneity)
    return load_world(folder, log_rounds(world, 200))


def test_the_sealed_segments_are_not_evaluated_on(tmp_path: Path) -> None:
    tasks = loaded(tmp_path, heterogeneity=0.5)
    split = SharedFits(tasks, SETTINGS, 0).time_split
    sealed = set(tasks.split("meta_test"))
    assert not sealed & set(split.query.segment.tolist())
    assert not sealed & set(split.support.segment.tolist())
    assert split.query.n == sum(
        tasks.window("query", [segment]).n for segment in range(12) if segment not in sealed
    )


def test_the_pooled_model_leads_itself_by_nothing(tmp_path: Path) -> None:
    split = SharedFits(loaded(tmp_path, heterogeneity=0.5), SETTINGS, 0).time_split
    assert split.lead_of(split.likelihood) == 0.0


def test_segments_that_differ_make_their_own_effects_lead_and_equal_ones_do_not(tmp_path: Path) -> None:
    (tmp_path / "equal").mkdir()
    differing = load_world(tmp_path, log_rounds(opposite_world(), 200))
    equal = loaded(tmp_path / "equal", heterogeneity=0.0)
    leads = [MixedEffects().meta_train(SharedFits(tasks, SETTINGS, 0)).lead for tasks in (differing, equal)]
    assert leads[0] > 5.0
    assert leads[1] < 1.0


@pytest.mark.parametrize("tells", [True, False])
def test_history_factors_are_taken_where_they_predict_later_rounds(tells: bool, tmp_path: Path) -> None:
    """A user who has viewed item 0 likes item 1: no pair feature says that, and a factor does."""
    n, items = 8000, 4
    random = np.random.default_rng(0)
    world = make_world(segments=4, items=items, features=1, click_rate=0.2, heterogeneity=0.0, shared=0.0)
    arrays = log_rounds(world, n // 4)
    looked = random.integers(items, size=n)
    likes = (looked + 1) % items if tells else random.integers(items, size=n)
    chance = np.where(arrays["action"] == likes, 0.5, 0.1)
    tasks = load_world(tmp_path, {**arrays, "reward": (random.random(n) < chance).astype(float)})
    amount = torch.zeros(n, 5)
    amount[:, 0] = 3.0
    touches = Touches(torch.arange(n + 1), torch.from_numpy(looked), amount)
    history = UserHistory(torch.arange(n), touches)
    known = replace(tasks, rounds=replace(tasks.rounds, history=history))
    assert SharedFits(known, SETTINGS, 0).time_split.model.has_factors == tells


def test_without_a_query_window_the_later_half_is_evaluated_on(tmp_path: Path) -> None:
    tasks = loaded(tmp_path, heterogeneity=0.5)
    blind = replace(tasks, window_code=torch.where(tasks.window_code == 1, 3, tasks.window_code))
    split = SharedFits(blind, SETTINGS, 0).time_split
    assert abs(split.support.n - split.query.n) <= 1


def test_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    tasks = loaded(tmp_path, heterogeneity=0.5)
    empty = replace(tasks, window_code=torch.full_like(tasks.window_code, 2))
    with pytest.raises(InputDataError, match="No segment has rounds"):
        time_split(empty, seed=0)
    with pytest.raises(InputDataError, match="No segment has rounds"):
        training_rounds(empty)


def test_where_nobody_is_dealt_out_to_teach_everybody_teaches(tmp_path: Path) -> None:
    tasks = loaded(tmp_path, heterogeneity=0.5)
    nobody = replace(tasks, segment_split=torch.full_like(tasks.segment_split, 1))
    rounds, notes = training_rounds(nobody)
    assert rounds.n == tasks.window("training").n
    assert [note.code for note in notes] == ["no_rounds_to_learn_from"]


def test_a_gain_that_is_sure_is_read_out_sharply(tmp_path: Path) -> None:
    learned = MixedEffects().meta_train(
        SharedFits(load_world(tmp_path, log_rounds(opposite_world(), 200)), SETTINGS, 0)
    )
    assert isinstance(learned, MixedMetaPolicy)
    assert learned.temperature == READ_OUT


def test_a_gain_that_is_hard_to_show_is_read_out_softly(tmp_path: Path) -> None:
    """Ten items hardly better or worse than one another, 2 % clicks: greedy weights would drown the gain."""
    world = make_world(segments=6, items=10, click_rate=0.02, heterogeneity=0.0, shared=0.4)
    learned = PooledRewardModel().meta_train(
        SharedFits(load_world(tmp_path, log_rounds(world, 2000)), SETTINGS, 0)
    )
    assert isinstance(learned, MixedMetaPolicy)
    assert learned.temperature > READ_OUT


def test_a_list_that_knows_no_slots_is_not_compared_by_them(tmp_path: Path) -> None:
    """Slots differ by 1.5 in log-odds and nothing else does: no list of items can be worse for it."""
    world = make_world(segments=6, items=6, click_rate=0.2, heterogeneity=0.0, shared=0.0)
    steep = replace(world, slot_effect=np.array([1.5, 0.0, -1.5]))
    tasks = load_world(tmp_path, log_rounds(steep, 1000))
    learned = ItemRates().meta_train(SharedFits(tasks, SETTINGS, 0))
    assert abs(learned.lead) < 2.5


def test_no_read_out_is_taken_that_the_gate_would_not_believe(tmp_path: Path) -> None:
    """Of 150 items one is clicked by everybody, and followed sharply it is worth one round in 150."""
    world = make_world(segments=8, items=150, features=1, click_rate=0.02, heterogeneity=0.0, shared=0.0)
    item_effect = np.zeros(150)
    item_effect[0] = 4.0
    world = replace(world, item_effect=item_effect, logging_tilt=0.0)
    split = SharedFits(load_world(tmp_path, log_rounds(world, 2000)), SETTINGS, 0).time_split
    policy = ScoredPolicy("pooled", split.model.score(), 1.0)
    assert split.read_out({}, policy, least_effective=0.0) == READ_OUT
    temperature = split.read_out({}, policy)
    query = split.query
    scores = split.model.scores(query.context, query.slot, query.history)
    chances = torch.softmax(scores / temperature, dim=1)
    weight = chances.gather(1, query.action[:, None])[:, 0] / query.propensity
    assert temperature == TEMPERATURES[-1] or float(weight.sum() ** 2 / (weight**2).sum()) > 0.01 * query.n
    assert temperature > READ_OUT
