"""Best-seller lists counted on paper, for everybody and by segment."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.beta_binomial import ALIKE
from offline_rl.meta.item_rates import ItemRates, ItemRatesMetaPolicy, shrunken_rates
from offline_rl.meta.learner import Learner
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.policies.policy import Policy
from offline_rl.policies.scored_policy import ScoredPolicy
from tests.laws.by_hand import rounds_by_hand
from tests.laws.learners import (
    LAWFUL,
    LAWS,
    SPOILED,
    Arrays,
    load_world,
    log_rounds,
    opposite_world,
    what_is_learned_is_sound,
    without_rewards,
)

LEARNERS = [ItemRates(), ItemRates("segment_item_rates", by_segment=True)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worlds")


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: learner.name)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_item_rates_obey(law: Callable[[Learner, Path], None], learner: Learner, folder: Path) -> None:
    law(learner, folder)


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: learner.name)
@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__)
def test_item_rates_are_sound_on_a_log(
    spoil: Callable[[Arrays], Arrays], learner: Learner, folder: Path
) -> None:
    what_is_learned_is_sound(learner, folder, spoil)


def clicks(of_item: list[tuple[int, int]], amount: float = 1.0) -> LoggedRounds:
    """of_item: clicks and rounds of each; a click is worth `amount`."""
    action = [item for item, (_, shown) in enumerate(of_item) for _ in range(shown)]
    reward = [amount * (number < won) for won, shown in of_item for number in range(shown)]
    return rounds_by_hand(action, reward)


def policy_of(rounds: LoggedRounds, *, by_segment: bool = True) -> ItemRatesMetaPolicy:
    empty = ItemRatesMetaPolicy("counted", by_segment, shrunken_rates(rounds.reward, rounds.action, 1), 1.0,
                                True, 1.0, 0.0, 0.0, 0.0)  # fmt: skip
    return empty.fitted_again(rounds, seed=0)


def scores(policy: Policy, rounds: LoggedRounds) -> torch.Tensor:
    assert isinstance(policy, ScoredPolicy)
    return policy.score(rounds.context, rounds.slot, rounds.item_features)[0]


def test_ten_pseudo_clicks_by_hand() -> None:
    """8 clicks in 40 rounds and 2 in 60: p = 0.1, so 100 pseudo-rounds; the third item has p."""
    rounds = clicks([(8, 40), (2, 60)])
    rates = shrunken_rates(rounds.reward, rounds.action, 3)
    torch.testing.assert_close(rates.mean, torch.tensor([18 / 140, 12 / 160, 0.1]).double())
    torch.testing.assert_close(rates.strength, 10 / torch.tensor([18 / 140, 12 / 160, 0.1]).double())


def test_a_segments_rate_is_shrunken_to_the_items_own() -> None:
    """3 clicks in 5 rounds of item 0: (3 + 10) / (5 + 10 / (18/140)); item 1 keeps its 12/160."""
    policy, own = policy_of(clicks([(8, 40), (2, 60)])), clicks([(3, 5)])
    support = rounds_by_hand([0] * 5, own.reward.tolist(), item_features=torch.zeros(2, 0))
    rate = 13 / (5 + 1400 / 18)
    expected = torch.tensor([math.log(rate / (1 - rate)), math.log(12 / 148)]).double()
    torch.testing.assert_close(scores(policy.adapt(support), support), expected)
    zero_shot = torch.tensor([math.log(18 / 122), math.log(12 / 148)]).double()
    torch.testing.assert_close(scores(policy.zero_shot(), support), zero_shot)
    for_everybody = policy_of(clicks([(8, 40), (2, 60)]), by_segment=False)
    assert not for_everybody.adapts
    torch.testing.assert_close(scores(for_everybody.adapt(support), support), zero_shot)


def test_amounts_get_the_pseudo_rounds_in_which_ten_are_earned() -> None:
    """The same clicks at 7 each: as before, seven times and in standard deviations."""
    rounds = clicks([(8, 40), (2, 60)], amount=7.0)
    policy = policy_of(rounds)
    scale = float(rounds.reward.std())
    assert (policy.is_binary, policy.reward_scale) == (False, pytest.approx(scale))
    expected = 7.0 / scale * torch.tensor([18 / 140, 12 / 160]).double()
    torch.testing.assert_close(scores(policy.zero_shot(), rounds), expected)
    support = rounds_by_hand([0] * 5, [7.0, 7.0, 7.0, 0.0, 0.0], item_features=torch.zeros(2, 0))
    own = torch.tensor([7.0 / scale * 13 / (5 + 1400 / 18), float(expected[1])]).double()
    torch.testing.assert_close(scores(policy.adapt(support), support), own)


def test_where_every_round_earns_ten_pseudo_rounds_are_enough() -> None:
    rates = shrunken_rates(torch.tensor([1.0, 3.0, 5.0, 7.0]), torch.tensor([0, 0, 1, 1]), 2)
    torch.testing.assert_close(rates.mean, torch.tensor([44 / 12, 52 / 12]).double())
    torch.testing.assert_close(rates.strength, torch.tensor([10.0, 10.0]).double())


def test_without_a_click_all_items_are_alike(folder: Path) -> None:
    rates = shrunken_rates(torch.zeros(4), torch.tensor([0, 0, 0, 1]), 2)
    torch.testing.assert_close(rates.mean, torch.tensor([1 / 8, 1 / 8]).double())
    assert rates.strength.tolist() == [ALIKE, ALIKE]
    tasks = load_world(folder, without_rewards(log_rounds(opposite_world(), 30)))
    assert not LEARNERS[1].meta_train(SharedFits(tasks, LAWFUL, 0)).adapts


def test_segments_are_counted_alike_together_and_one_by_one(folder: Path) -> None:
    tasks = load_world(folder, log_rounds(opposite_world(), 100))
    policy = LEARNERS[1].meta_train(SharedFits(tasks, LAWFUL, 0))
    training = tasks.window("training")
    together = policy.adapt_each(training)
    assert sorted(together) == list(range(12))
    for segment, adapted in together.items():
        alone = policy.adapt(tasks.window("training", [segment]))
        assert torch.equal(scores(adapted, training), scores(alone, training))
        assert int(scores(adapted, training).argmax()) == segment % 2


def test_one_segment_alone_is_counted_too(folder: Path) -> None:
    tasks = load_world(folder, log_rounds(opposite_world(1), 100))
    for learner in LEARNERS:
        served = learner.meta_train(SharedFits(tasks, LAWFUL, 0)).adapt(tasks.window("training", [0]))
        assert int(scores(served, tasks.rounds).argmax()) == 0
