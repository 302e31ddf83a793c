"""Validation uses every round of a validation segment once, and never one that was adapted to."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from offline_rl.logged_data import Tasks
from offline_rl.meta import validation
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.policy_validation import validation_tasks
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.meta.validation import FOLDS, Validation
from offline_rl.meta.warm_start import WarmStart
from tests.laws.learners import load_world, log_rounds, make_world

SETTINGS = LearningSettings(hidden=8)


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Tasks:
    world = make_world(segments=8, items=6, features=3, contexts=3, click_rate=0.15)
    return load_world(tmp_path_factory.mktemp("validation"), log_rounds(world, 200))


@pytest.fixture(scope="module")
def start(tasks: Tasks) -> WarmStart:
    return SharedFits(tasks, SETTINGS, 0).warm_start


def test_every_round_before_the_holdout_is_evaluated_on_once(tasks: Tasks, start: WarmStart) -> None:
    segments = tasks.split("meta_validation")
    evaluated = torch.cat([task.query.context for task in validation_tasks(start)])
    for segment in segments:
        logged = tasks.window("training", [segment]).context
        seen = evaluated[start.validation.segment == segment]
        torch.testing.assert_close(seen.sort(dim=0).values, logged.sort(dim=0).values)
    assert len(evaluated) == tasks.window("training", segments).n
    assert len(validation_tasks(start)) == FOLDS * len(segments)


def test_what_is_adapted_to_is_the_rest_of_the_segment(tasks: Tasks, start: WarmStart) -> None:
    segments = tasks.split("meta_validation")
    lengths = [task.query.n for task in validation_tasks(start)]
    of_tasks = [int(part[0]) for part in start.validation.segment.split(lengths)]
    assert sorted(of_tasks) == sorted(FOLDS * segments)
    for segment, task in zip(of_tasks, validation_tasks(start), strict=True):
        whole = tasks.window("training", [segment]).context
        both = torch.cat([task.support.context, task.query.context])
        assert both.shape == whole.shape
        torch.testing.assert_close(both.sort(dim=0).values, whole.sort(dim=0).values)


def test_a_single_round_is_evaluated_on_after_adapting_to_nothing(tasks: Tasks, start: WarmStart) -> None:
    segment = tasks.split("meta_validation")[0]
    first = torch.nonzero((tasks.rounds.segment == segment) & (tasks.window_code == 0))[0]
    rounds = tasks.rounds.select(first)
    alone = replace(tasks, rounds=rounds, window_code=tasks.window_code[first])
    seen = Validation.crossed(alone, [segment], start.model)
    assert seen.batches[0].query["mask"].sum() == 1
    assert seen.batches[0].support["mask"].sum() == 0


def test_a_huge_segment_is_adapted_to_in_part_and_evaluated_on_in_full(
    tasks: Tasks, start: WarmStart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "MOST_TO_ADAPT_TO", 10)
    segments = tasks.split("meta_validation")
    seen = Validation.crossed(tasks, segments, start.model)
    assert set(seen.batches[0].support["mask"].sum(1).tolist()) == {10}
    assert seen.batches[0].query["mask"].sum() == tasks.window("training", segments).n


def test_without_validation_segments_the_training_segments_later_window_is_evaluated_on(
    tmp_path: Path,
) -> None:
    tasks = load_world(tmp_path, log_rounds(make_world(segments=3, items=5), 100))
    taught = replace(tasks, segment_split=torch.zeros_like(tasks.segment_split))
    start = SharedFits(taught, SETTINGS, 0).warm_start
    evaluated = torch.cat([task.query.context for task in validation_tasks(start)])
    torch.testing.assert_close(evaluated, taught.window("query").context)
    assert start.notes[0].code == "no_validation_segments"


def test_tasks_of_like_length_share_a_batch(
    tasks: Tasks, start: WarmStart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "_TASKS_PER_BATCH", 3)
    seen = Validation.crossed(tasks, tasks.split("meta_validation"), start.model)
    lengths = [int(n) for batch in seen.batches for n in batch.support["mask"].sum(1)]
    assert max(len(batch.support["mask"]) for batch in seen.batches) == 3
    assert lengths == sorted(lengths)
