"""What a policy does with a surface, on a world of three items and two slots that is solved on paper."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from offline_rl import serving
from offline_rl.logged_data import LoggedRounds
from offline_rl.policies.frequency_policy import FrequencyPolicy
from offline_rl.policies.scored_policy import ScoredPolicy
from offline_rl.serving import SegmentPolicies, evaluation_rounds, logged_as_is, served_probabilities
from offline_rl.user_history import Touches, UserHistory

SHARES = torch.tensor([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]], dtype=torch.float64)
CERTAIN = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], dtype=torch.float64)


def rounds(slot: list[int], segment: list[int], set_index: list[int] | None = None) -> LoggedRounds:
    n = len(slot)
    return LoggedRounds(
        context=torch.zeros(n, 1),
        slot=torch.tensor(slot),
        action=torch.ones(n, dtype=torch.int64),
        reward=torch.ones(n, dtype=torch.float64),
        propensity=torch.full((n,), 0.5, dtype=torch.float64),
        set_index=torch.tensor(set_index or [0] * n),
        available=torch.tensor([[True, True, True], [False, True, True]]),
        segment=torch.tensor(segment),
        cluster=torch.arange(n),
        item_features=torch.zeros(3, 1),
        n_slots=2,
    )


def policies(fills_slates: bool = True) -> SegmentPolicies:
    return SegmentPolicies(
        "p", {0: FrequencyPolicy(SHARES)}, FrequencyPolicy(CERTAIN), fills_slates=fills_slates
    )


def test_the_marginal_of_the_slate_is_evaluated():
    # Slot 2 where slot 1 may have taken the same item: item 0 gets 1/2 (1/4 + 1/4) / (3/4) = 1/3.
    served = served_probabilities(policies(), rounds([0, 1], [0, 0]))
    torch.testing.assert_close(served[0], SHARES[0])
    torch.testing.assert_close(served[1], torch.full((3,), 1 / 3, dtype=torch.float64))


def test_exploration_reaches_every_available_item():
    exploring = SegmentPolicies("p", {}, FrequencyPolicy(CERTAIN), exploration=0.3)
    served = served_probabilities(exploring, rounds([0, 0], [0, 1], [0, 1]))
    torch.testing.assert_close(served[0], torch.tensor([0.8, 0.1, 0.1], dtype=torch.float64))
    assert served[1, 0] == 0.0


def test_the_slots_of_a_visit_share_its_work_and_nothing_else():
    # Two visits of segment 0, then one of segment 7 with the same context: three moments in five rounds.
    visits = rounds([0, 1, 1, 1, 0], [0, 0, 0, 7, 7])
    visits = replace(visits, context=torch.tensor([[0.0], [0.0], [1.0], [1.0], [1.0]]))
    asked = []

    class Counting(FrequencyPolicy):
        def action_logits(self, context, slot, item_features, available, history=None):
            asked.append(len(context))
            return super().action_logits(context, slot, item_features, available, history)

    counting = SegmentPolicies("p", {0: Counting(SHARES)}, Counting(CERTAIN))
    together = served_probabilities(counting, visits)
    assert sum(asked) == 3 * visits.n_slots
    alone = [served_probabilities(policies(), visits.select(torch.tensor([row]))) for row in range(5)]
    torch.testing.assert_close(together, torch.cat(alone))


def with_history(visits: LoggedRounds, state: list[int]) -> LoggedRounds:
    touches = Touches(torch.tensor([0, 1, 2]), torch.tensor([1, 2]), torch.ones(2, 5))
    return replace(visits, history=UserHistory(torch.tensor(state), touches))


def prefers_what_was_touched(context, slot, item_features, history=None):
    scores = torch.zeros(len(context), len(item_features))
    row, entry = history.touches.entries_of(history.state)
    scores[row, history.touches.item[entry]] = 1.0
    return scores


def test_a_users_history_reaches_the_policy_and_tells_visits_apart():
    # Equal contexts, three users: nothing known, touched item 1, touched item 2.
    visits = with_history(rounds([0, 0, 0], [0, 7, 0]), [-1, 0, 1])
    touched = ScoredPolicy("touched", prefers_what_was_touched, 0.01)
    served = served_probabilities(SegmentPolicies("p", {0: touched}, touched), visits)
    torch.testing.assert_close(served[0], torch.full((3,), 1 / 3, dtype=torch.float64))
    torch.testing.assert_close(served[1:], torch.eye(3, dtype=torch.float64)[1:], rtol=0, atol=1e-12)


@pytest.mark.parametrize("lead", [1.1, 10.0, 1000.0])
def test_the_greediest_policy_fills_every_slot(lead):
    # Scores are float32, and the lead over temperature 0.01 is beyond every float's exponent.
    def score(context, slot, item_features, history=None):
        return torch.tensor([lead, 0.0, -0.1]).expand(len(context), -1)

    greedy = SegmentPolicies("greedy", {}, ScoredPolicy("greedy", score, 0.01))
    served = served_probabilities(greedy, rounds([0, 1], [0, 0]))
    # Slot 2 has item 1 against item 2, ten in log-odds apart.
    second = torch.sigmoid(torch.tensor([10.0, -10.0], dtype=torch.float64))
    expected = torch.tensor([[1.0, 0.0, 0.0], [0.0, second[0], second[1]]], dtype=torch.float64)
    torch.testing.assert_close(served, expected, rtol=1e-6, atol=1e-30)


def test_sets_may_be_handled_together_or_one_by_one(monkeypatch):
    exploring = SegmentPolicies("p", {}, FrequencyPolicy(SHARES), exploration=0.3)
    mixed = rounds([0, 1, 0, 1, 1], [0] * 5, set_index=[0, 0, 1, 1, 0])
    apart = served_probabilities(exploring, mixed)
    assert apart[2, 0] == apart[3, 0] == 0
    monkeypatch.setattr(serving, "_WORTH_PARTING", 0.0)
    torch.testing.assert_close(served_probabilities(exploring, mixed), apart)


def test_a_record_of_marginals_stays_as_it_is():
    served = served_probabilities(policies(fills_slates=False), rounds([1], [0]))
    torch.testing.assert_close(served[0], SHARES[1])


def test_a_segment_without_a_policy_of_its_own_gets_everybodys():
    served = served_probabilities(policies(), rounds([0, 1], [7, 7]))
    torch.testing.assert_close(served, CERTAIN)


def test_unavailable_items_are_never_shown():
    served = served_probabilities(policies(), rounds([0, 1], [0, 0], [1, 1]))
    assert served[:, 0].tolist() == [0.0, 0.0]
    torch.testing.assert_close(served.sum(1), torch.ones(2, dtype=torch.float64))


def test_rounds_do_not_depend_on_their_neighbors():
    together = rounds([0, 1, 1, 0], [0, 7, 0, 0], [0, 0, 1, 1])
    served = served_probabilities(policies(), together)
    for row in range(4):
        alone = served_probabilities(policies(), together.select(torch.tensor([row])))
        torch.testing.assert_close(alone[0], served[row], rtol=0, atol=1e-15)


def test_no_rounds_give_no_rows():
    assert served_probabilities(policies(), rounds([], [])).shape == (0, 3)


def test_the_evaluation_sees_weights_and_modeled_rewards():
    probabilities = torch.tensor([[0.2, 0.3, 0.5]], dtype=torch.float64)
    q_hat: Tensor = torch.tensor([[1.0, 2.0, 4.0]], dtype=torch.float64)
    evaluated = evaluation_rounds(rounds([0], [0]), probabilities, q_hat)
    assert evaluated.weight.tolist() == [0.6]
    assert evaluated.q_logged is not None and evaluated.q_logged.tolist() == [2.0]
    assert evaluated.q_policy is not None and abs(evaluated.q_policy[0] - 2.8) < 1e-12
    assert logged_as_is(rounds([0], [0]), q_hat).weight.tolist() == [1.0]
