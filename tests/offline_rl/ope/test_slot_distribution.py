import numpy as np

from offline_rl.ope.slot_distribution import slot_distribution


def test_a_policy_without_context_is_recovered_exactly() -> None:
    policy = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    slot, action = (index.ravel() for index in np.indices(policy.shape))

    found = slot_distribution(action, slot, policy[slot, action], n_slots=2, n_actions=3)

    assert np.allclose(found, policy, rtol=1e-15)


def test_what_was_never_shown_has_no_share_and_a_slot_without_rounds_none_at_all() -> None:
    found = slot_distribution(np.array([1]), np.array([0]), np.array([0.5]), n_slots=2, n_actions=2)

    assert found.tolist() == [[0.0, 1.0], [0.0, 0.0]]
