from collections.abc import Callable

import numpy as np
import pytest

from flows.simulations.studies.study import Study, StudySettings, make_study

SMALL = StudySettings("strong", 3, regions=20, users=900, items=12, days=14, fewest_rounds=10)


@pytest.fixture(scope="module")
def study() -> Study:
    return make_study(SMALL)


def test_equal_settings_give_equal_studies(study: Study) -> None:
    again = make_study(SMALL)
    assert again.splits == study.splits
    assert all((again.arrays[name] == study.arrays[name]).all() for name in study.arrays)
    assert (again.q_true == study.q_true).all()


def test_the_door_of_the_learners_lets_it_in(study: Study) -> None:
    tasks = study.tasks()
    assert tasks.n_segments == 60
    assert {len(tasks.split(name)) > 0 for name in ("meta_train", "meta_validation", "meta_test")} == {True}


def test_clicks_come_as_often_as_the_truth_says(study: Study) -> None:
    arrays = study.arrays
    chance = study.q_true[np.arange(len(arrays["action"])), arrays["action"]].astype(np.float64)
    z = (arrays["reward"] - chance).sum() / np.sqrt((chance * (1 - chance)).sum())
    assert abs(z) < 3
    z = (study.logging_value - chance).sum() / np.sqrt(((study.logging_value - chance) ** 2).sum())
    assert abs(z) < 3


def test_no_policy_of_known_things_beats_the_oracle(study: Study) -> None:
    available = study.arrays["available"][study.arrays["set_index"]]
    everything = np.where(available, study.q_true, 0).max(axis=1)
    assert (study.oracle_value <= everything + 1e-6).all()
    assert study.oracle_value.mean() > 1.2 * study.logging_value.mean()
    # taste is hidden, so knowing it would be worth something
    assert study.oracle_value.mean() < everything.mean()


def test_windows_follow_one_another_with_a_gap(study: Study) -> None:
    window, day = study.arrays["window"], study.arrays["set_index"]
    support, query, holdout = (day[window == code] for code in (0, 1, 2))
    assert support.max() < query.min() or support.max() == query.min()
    assert query.max() <= holdout.min()
    assert holdout.max() < SMALL.days
    assert (window == 3).any()


def test_only_what_a_shop_knows_is_in_the_context(study: Study) -> None:
    by_user: dict[int, set[bytes]] = {}
    for user, row in zip(study.arrays["cluster"].tolist(), study.arrays["context"], strict=True):
        by_user.setdefault(user, set()).add(row.tobytes())
    assert all(len(rows) == 1 for rows in by_user.values())


@pytest.mark.parametrize(
    ("unseen", "is_known"),
    [("segment", lambda width, regions: width > regions), ("region", lambda width, regions: width < regions)],
)
def test_a_region_is_named_where_training_can_know_it(
    unseen: str, is_known: Callable[[int, int], bool]
) -> None:
    study = make_study(
        StudySettings("strong", 3, regions=20, users=900, days=7, fewest_rounds=5, unseen=unseen)
    )  # type: ignore[arg-type]
    assert is_known(study.arrays["context"].shape[1], 20)
    if unseen == "region":
        split_of: dict[str, set[str]] = {}
        for name, split in study.splits.of.items():
            split_of.setdefault(name.rpartition("-")[0], set()).add(split)
        assert all(len(splits) == 1 for splits in split_of.values())


def test_the_usual_study_has_many_segments_with_few_rounds_each() -> None:
    study = make_study(StudySettings("nonlinear", 100))
    tasks = study.tasks()
    rounds = np.bincount(study.arrays["segment"])
    assert 900 <= np.median(rounds) <= 1500
    assert len(tasks.split("meta_test")) >= 30
    before = [tasks.window("training", [segment]).n for segment in tasks.split("meta_test")]
    assert min(before) >= study.settings.fewest_rounds
