import pytest
import torch

from offline_rl import two_tower
from offline_rl.policies.exploration import ExploringPolicy, mix_with_uniform
from offline_rl.policies.softmax_policy import SoftmaxPolicy


def test_every_available_item_keeps_support_and_no_other_gains_any() -> None:
    available = torch.tensor([[True, True, False], [True, True, True]])
    probabilities = torch.tensor([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5]], dtype=torch.float64)
    mixed = mix_with_uniform(probabilities, available, 0.1)
    torch.testing.assert_close(mixed.sum(-1), torch.ones(2, dtype=torch.float64))
    assert float(mixed[available].min()) >= 0.1 / 3
    assert float(mixed[0, 2]) == 0.0


def test_the_ends_of_the_mixture() -> None:
    available = torch.ones(1, 2, dtype=torch.bool)
    probabilities = torch.tensor([[0.9, 0.1]])
    assert torch.equal(mix_with_uniform(probabilities, available, 0.0), probabilities)
    assert mix_with_uniform(probabilities, available, 1.0).tolist() == [[0.5, 0.5]]
    with pytest.raises(ValueError, match="is no share"):
        mix_with_uniform(probabilities, available, 1.5)


def test_an_exploring_policy_wraps_any_policy() -> None:
    parameters = two_tower.init_parameters(1, 1, 3, 2, hidden=2, generator=torch.Generator().manual_seed(0))
    followed = SoftmaxPolicy("maml", parameters, 0.1)
    arguments = (
        torch.ones(2, 1),
        torch.zeros(2, dtype=torch.int64),
        torch.randn(3, 2, generator=torch.Generator().manual_seed(1)),
        torch.ones(2, 3, dtype=torch.bool),
    )
    exploring = ExploringPolicy(followed, 0.3)
    assert exploring.name == "maml"
    expected = mix_with_uniform(followed.action_probabilities(*arguments), arguments[3], 0.3)
    assert torch.equal(exploring.action_probabilities(*arguments), expected)
