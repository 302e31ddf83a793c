"""A policy that no log has to show is read out sharply: the same favorites, shown more often."""

from dataclasses import replace

import pytest
import torch

from offline_rl.meta.cautious import CAUTIOUS
from offline_rl.meta.named_learners import LEARNERS
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.meta.sharpened import as_sharp_as, sharpened
from offline_rl.meta.time_split import NOTHING_KNOWN
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


def soft(name: str, fits: SharedFits):
    """Return what the learner has learned, read out as by a log that shows no sharper gain."""
    learned = LEARNERS[name].meta_train(fits)
    if name == "maml":
        return replace(learned, objective=replace(learned.objective, temperature=0.5))
    return replace(learned, temperature=0.5)


@pytest.mark.parametrize("name", ["pooled_reward_model", "segment_item_rates", "maml"])
def test_the_favorite_stays_and_is_shown_more(name: str, fits: SharedFits) -> None:
    softer = soft(name, fits)
    before, after = shown(softer, fits), shown(sharpened(softer), fits)
    assert torch.equal(after.argmax(1), before.argmax(1))
    assert bool((after.max(1).values >= before.max(1).values).all())
    assert float(after.max(1).values.mean()) > float(before.max(1).values.mean())
    assert torch.equal(shown(sharpened(sharpened(softer)), fits), after)


def test_a_gradient_policy_adapts_to_the_same_segments_as_before(fits: SharedFits) -> None:
    learned = soft("maml", fits)
    assert sharpened(learned) is not learned
    for segment in range(fits.tasks.n_segments):
        support = fits.tasks.window("training", [segment])
        assert sharpened(learned).refusal(support) == learned.refusal(support)
    assert sharpened(learned).objective == learned.objective


def test_what_has_learned_nothing_is_not_followed(fits: SharedFits) -> None:
    nothing = replace(LEARNERS["pooled_reward_model"].meta_train(fits), temperature=NOTHING_KNOWN)
    assert sharpened(nothing) is nothing


def test_one_form_is_as_sharp_as_the_other(fits: SharedFits) -> None:
    learned = LEARNERS["pooled_reward_model"].meta_train(fits)
    softer, sharp = replace(learned, temperature=0.2), sharpened(replace(learned, temperature=0.2))
    assert as_sharp_as(softer, sharp).card() == sharp.card()
    assert as_sharp_as(softer, softer) is softer


def test_caution_is_not_sharpened(fits: SharedFits) -> None:
    cautious = replace(LEARNERS["pooled_reward_model"].meta_train(fits), name=CAUTIOUS, temperature=0.1)
    assert sharpened(cautious) is cautious


def test_a_policy_that_is_not_of_rewards_stays_as_it_was_learned(fits: SharedFits) -> None:
    learned = LEARNERS["reinforce"].meta_train(fits)
    assert sharpened(learned) is learned
