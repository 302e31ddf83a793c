"""What may serve is fitted once to all known rounds, from the policy as it was learned."""

import pytest
import torch

from flows.settings import Settings, read_settings
from flows.shops import SIMULATED, write_config
from flows.stages.learn import Learned, learning_settings, train
from offline_rl.logged_data import Tasks
from offline_rl.meta.cautious import CAUTIOUS
from offline_rl.meta.named_learners import LEARNERS
from offline_rl.meta.refit import refitted
from offline_rl.meta.shared_fits import Refits, SharedFits
from offline_rl.meta.time_split import READ_OUT, TEMPERATURES, TimeSplit
from tests.laws.learners import load_world, log_rounds, opposite_world

AREA = "recommendation"
LEARNED = ("pooled_two_tower", "maml")


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Tasks:
    return load_world(tmp_path_factory.mktemp("tasks"), log_rounds(opposite_world(8), 60))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("shop")
    write_config(folder / "metacart.toml", SIMULATED, name="shop", logs=folder, data=folder / "data")
    found = read_settings(folder / "metacart.toml")
    learning = found.learning.model_copy(update={"learners": LEARNED, "max_steps": 2, "hidden": 4})
    return found.model_copy(update={"learning": learning})


@pytest.fixture(scope="module")
def learned(tasks: Tasks, settings: Settings) -> Learned:
    return train(tasks, settings, AREA, [AREA], serves="maml", tried=CAUTIOUS)


@pytest.mark.parametrize("name", LEARNED)
def test_what_serves_is_moved_once(name: str, tasks: Tasks, settings: Settings) -> None:
    learned = train(tasks, settings, AREA, [AREA], serves=name)
    fits = SharedFits(tasks, learning_settings(settings.learning), settings.night.seed)
    expected = refitted(LEARNERS[name].meta_train(fits), Refits.last(fits)).numbers()
    [served] = [policy.numbers() for policy in learned.served if policy.name == name]
    assert all(torch.equal(served[key], value) for key, value in expected.items())


def test_a_cautious_champion_learns_anew_also_where_caution_asks_for_nothing(learned: Learned) -> None:
    names = [policy.name for policy in learned.evaluated]
    assert learned.contenders.cautious is None
    assert names.count(CAUTIOUS) == 1
    cautious, pooled = (
        next(policy for policy in learned.served if policy.name == name)
        for name in (CAUTIOUS, "pooled_reward_model")
    )
    assert all(torch.equal(value, pooled.numbers()[key]) for key, value in cautious.numbers().items())


def test_the_champion_is_sharp_in_both_forms_and_a_candidate_where_it_serves(
    tasks: Tasks, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The log allows the softest read-out alone, as where it is full of the champion's own lists.
    monkeypatch.setattr(TimeSplit, "read_out", lambda *_args, **_asked: TEMPERATURES[-1])
    learned = train(tasks, settings, AREA, [AREA], serves="pooled_reward_model", tried="segment_item_rates")
    evaluated, served = (
        {policy.name: policy.card()["temperature"] for policy in policies if policy.kind != "gradient"}
        for policies in (learned.evaluated, learned.served)
    )
    assert evaluated["pooled_reward_model"] == served["pooled_reward_model"] == READ_OUT
    assert (evaluated["segment_item_rates"], served["segment_item_rates"]) == (TEMPERATURES[-1], READ_OUT)
    assert evaluated["popularity"] == served["popularity"] == TEMPERATURES[-1]


def test_only_what_may_serve_is_fitted_a_last_time(tasks: Tasks, settings: Settings) -> None:
    learned = train(tasks, settings, AREA, [AREA])
    assert {policy.name for policy in learned.served} == set(learned.contenders.compared)
    assert CAUTIOUS not in {policy.name for policy in learned.evaluated}
