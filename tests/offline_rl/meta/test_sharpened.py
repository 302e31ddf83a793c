"""A policy that no log has to show is read out sharply: the same favorites, shown more often."""

from dataclasses import replace

import pytest
import torch

from offline_rl.meta.cautious import CAUTIOUS
from offline_rl.meta.named_learners import LEARNERS
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.meta.sharpened import sharpened
from tests.laws.learners import LAWFUL, load_world, log_rounds, opposite_world


@pytest.fixture(scope="module")
def fits(tmp_path_factory: pytest.TempPathFactory) -> SharedFits:
    tasks = load_world(tmp_path_factory.mktemp("tasks"), log_rounds(opposite_world(8), 60))
    return SharedFits(tasks, LAWFUL, 0)


def shown(policy, fits: SharedFits) -> torch.Tensor:
    rounds = fits.tasks.window("holdout")
    return policy.zero_shot().action_probabilities(
        rounds.context, rounds.slot, rounds.item_features, rounds.availability(), rounds.history
    )


@pytest.mark.parametrize("name", ["pooled_reward_model", "segment_item_rates", "maml"])
def test_the_favorite_stays_and_is_shown_more(name: str, fits: SharedFits) -> None:
    soft = sharpened(LEARNERS[name].meta_train(fits))
    sharp_again = sharpened(soft)
    assert torch.equal(shown(sharp_again, fits), shown(soft, fits))
    if name == "maml":
        softer = replace(soft, objective=replace(soft.objective, temperature=0.5))
    else:
        softer = replace(soft, temperature=0.5)
    before, after = shown(softer, fits), shown(sharpened(softer), fits)
    assert torch.equal(after.argmax(1), before.argmax(1))
    assert bool((after.max(1).values >= before.max(1).values).all())
    assert float(after.max(1).values.mean()) > float(before.max(1).values.mean())


def test_caution_is_not_sharpened(fits: SharedFits) -> None:
    cautious = replace(LEARNERS["pooled_reward_model"].meta_train(fits), name=CAUTIOUS, temperature=0.1)
    assert sharpened(cautious) is cautious


def test_a_policy_that_is_not_of_rewards_stays_as_it_was_learned(fits: SharedFits) -> None:
    learned = LEARNERS["reinforce"].meta_train(fits)
    assert sharpened(learned) is learned
