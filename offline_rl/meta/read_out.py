"""Read-out: how greedily a policy follows a reward model, chosen on rounds that it wasn't fitted on."""

from collections.abc import Sequence

from torch import Tensor

from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.convergence import sure_gain
from offline_rl.objectives import doubly_robust_terms
from offline_rl.policies.softmax_policy import SoftmaxPolicy
from offline_rl.reward_model import RewardModel

TEMPERATURES = (1.0, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01)
"""Temperatures of the softmax over log-odds, softest first: 1 chooses in proportion to the odds, 0.01 follows
the best item for all but ties. A strong penalty leaves the scores of good items a few hundredths apart, and
at 0.05 a lead of 0.03 is preferred less than 2 to 1."""


def choose_temperature(
    model: RewardModel, held_out: LoggedRounds, temperatures: Sequence[float] = TEMPERATURES
) -> float:
    """Return greediest temperature that beats each softer choice by a standard error, by doubly robust value.

    A paired comparison on `held_out`, which the model must not have seen: starting from the softest, a
    sharper read-out replaces the current one if its gain exceeds the clustered standard error of the gain.
    """
    current, *sharper = sorted(temperatures, reverse=True)
    if held_out.n == 0:
        return current
    q_hat = model.expected_rewards(held_out)
    terms = _value_terms(model, current, held_out, q_hat)
    for temperature in sharper:
        candidate = _value_terms(model, temperature, held_out, q_hat)
        if sure_gain(candidate - terms, held_out.cluster) > 0.0:
            current, terms = temperature, candidate
    return current


def _value_terms(model: RewardModel, temperature: float, rounds: LoggedRounds, q_hat: Tensor) -> Tensor:
    policy = SoftmaxPolicy("read-out", model.parameters, temperature)
    probabilities = policy.action_probabilities(
        rounds.context, rounds.slot, rounds.item_features, rounds.availability(), rounds.history
    )
    return doubly_robust_terms(probabilities, rounds.action, rounds.propensity, rounds.reward, q_hat)
