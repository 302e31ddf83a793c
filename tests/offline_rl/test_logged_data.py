from pathlib import Path

import numpy as np
import pytest
import torch

from features.errors import InputDataError
from offline_rl.logged_data import load_tasks
from tests.laws.learners import load_world, log_rounds, make_world

ARRAYS = log_rounds(make_world(segments=5, items=6), 20, splits=(0.6, 0.2))


def write(folder: Path, **changes: object) -> Path:
    path = folder / "rounds_shop.npz"
    np.savez(path, **{**ARRAYS, **changes})  # type: ignore[arg-type]
    return path


def changed(name: str, row: int, value: float) -> dict[str, np.ndarray]:
    array = ARRAYS[name].copy()
    array[row] = value
    return {name: array}


def test_rounds_come_back_as_they_were_written(tmp_path: Path) -> None:
    tasks = load_tasks(write(tmp_path))
    rounds = tasks.rounds
    assert (rounds.n, rounds.n_actions, rounds.n_slots, tasks.n_segments) == (100, 6, 3, 5)
    assert rounds.context.dtype == torch.float32
    assert rounds.propensity.dtype == torch.float64
    np.testing.assert_array_equal(rounds.reward.numpy(), ARRAYS["reward"])


def test_windows_part_the_rounds_and_training_is_support_and_query(tmp_path: Path) -> None:
    tasks = load_world(tmp_path, ARRAYS)
    sizes = {name: tasks.window(name).n for name in ("support", "query", "training", "holdout")}
    assert sizes == {"support": 50, "query": 20, "training": 70, "holdout": 30}
    assert set(tasks.window("query", [1, 3]).segment.tolist()) == {1, 3}
    assert tasks.window("query", []).n == 0


def test_the_gap_is_read_by_no_window(tmp_path: Path) -> None:
    tasks = load_world(tmp_path, {**ARRAYS, "window": np.full(100, 3, dtype=np.int8)})
    assert all(tasks.window(name).n == 0 for name in ("support", "query", "training", "holdout"))


def test_every_segment_is_in_one_split(tmp_path: Path) -> None:
    tasks = load_world(tmp_path, ARRAYS)
    splits = [tasks.split(name) for name in ("meta_train", "meta_validation", "meta_test", "none")]
    assert sorted(segment for split in splits for segment in split) == [0, 1, 2, 3, 4]
    assert [len(split) for split in splits] == [3, 1, 1, 0]


def test_selecting_keeps_order_and_the_available_sets(tmp_path: Path) -> None:
    available = np.array([[True] * 6, [True] * 5 + [False]])
    sets = (ARRAYS["action"] != 5).astype(np.int64)
    rounds = load_world(tmp_path, {**ARRAYS, "available": available, "set_index": sets}).rounds
    chosen = rounds.select(torch.tensor([7, 3]))
    assert chosen.action.tolist() == [int(ARRAYS["action"][7]), int(ARRAYS["action"][3])]
    np.testing.assert_array_equal(rounds.availability().numpy(), available[sets])
    assert rounds.select(rounds.slot == 1).slot.unique().tolist() == [1]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (changed("propensity", 4, 0.0), r"propensity is outside \(0, 1\] in 1 places, first at row 4"),
        (changed("propensity", 0, np.nan), r"propensity is outside \(0, 1\]"),
        (changed("action", 9, 6), r"action is outside 0\.\.5 in 1 places, first at row 9"),
        (changed("slot", 2, -1), r"slot is outside 0\.\.2"),
        (changed("segment", 2, 5), r"segment is outside 0\.\.4"),
        (changed("window", 2, 5), r"window is outside 0\.\.4"),
        (changed("reward", 11, np.inf), "reward isn't a finite number in 1 places, first at row 11"),
        (changed("set_index", 1, 1), r"set_index is outside 0\.\.0"),
        (
            {"available": np.zeros((1, 6), dtype=bool)},
            "action is an item that its available set doesn't hold",
        ),
        ({"reward": ARRAYS["reward"][:-1]}, r"reward has shape \(99,\) where \(100\) was expected"),
        ({"incumbent_counts": np.zeros((5, 2, 6))}, r"incumbent_counts has shape"),
    ],
)
def test_what_no_log_can_hold_is_refused(
    tmp_path: Path, changes: dict[str, np.ndarray], sentence: str
) -> None:
    with pytest.raises(InputDataError, match=sentence):
        load_tasks(write(tmp_path, **changes))


def test_a_missing_array_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rounds_shop.npz"
    np.savez(path, **{name: array for name, array in ARRAYS.items() if name != "cluster"})  # type: ignore[arg-type]
    with pytest.raises(InputDataError, match="lacks cluster"):
        load_tasks(path)


def test_no_rounds_and_no_file_are_sentences(tmp_path: Path) -> None:
    rows = ("context", "slot", "action", "reward", "propensity", "set_index", "segment", "cluster", "window")
    with pytest.raises(InputDataError, match="holds no rounds"):
        load_tasks(write(tmp_path, **{name: ARRAYS[name][:0] for name in rows}))
    with pytest.raises(InputDataError, match="can't be read as rounds"):
        load_tasks(tmp_path / "nowhere.npz")


def test_pickled_content_is_never_run(tmp_path: Path) -> None:
    with pytest.raises(InputDataError, match="can't be read as rounds"):
        load_tasks(write(tmp_path, cluster=np.array([{"a": 1}] * 100, dtype=object)))
