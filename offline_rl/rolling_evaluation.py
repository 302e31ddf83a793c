"""Rolling evaluation: the contenders as they would have served from each rolling origin of the log on.

The gate decides by it. The tables of values stay with the holdout, where every policy is evaluated as it
would serve tomorrow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl.champions.layers import ServesInLog
from offline_rl.device import training_device
from offline_rl.logged_data import Tasks
from offline_rl.meta.fit_by_time import FittedPolicy
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.mixed_effects import MixedMetaPolicy
from offline_rl.ope.records import EvaluationRounds
from offline_rl.rolling_origin import Origin, origins
from offline_rl.serving import SegmentPolicies, evaluation_rounds, logged_as_is, served_probabilities


@dataclass(frozen=True, eq=False)
class Rolling:
    """The rounds of all origins as each policy sees them that the gate compares.

    rounds: policy → the n rounds as it sees them. evaluated: int64[n], their places in the log.
    """

    rounds: Mapping[str, EvaluationRounds]
    evaluated: Tensor
    n_origins: int


def fitted_ones(policies: Sequence[MetaPolicy]) -> list[FittedPolicy]:
    """Return the policies that one fit makes; learners that take steps would need a night for each origin."""
    return [policy for policy in policies if isinstance(policy, FittedPolicy)]


def rolled(
    tasks: Tasks,
    contenders: Sequence[FittedPolicy],
    pooled: MixedMetaPolicy,
    *,
    logging_policy: str,
    serving_today: Sequence[ServesInLog] = (),
    exploration: float,
    seed: int,
) -> Rolling:
    """Evaluate contenders, the logging policy under the name given, and what serves today if it is another.

    contenders, pooled: as the night serves them, pooled also as the reward model of doubly robust estimates;
    at earlier origins they are fitted again, with the settings that the night has chosen.
    serving_today: evaluated as it is from every origin: the log itself says what the shop's own policy
    shows, and the champion of an earlier night is fitted already.
    """
    seen: dict[str, list[EvaluationRounds]] = {}
    evaluated: list[Tensor] = []
    for origin in origins(tasks):
        evaluated.append(origin.evaluated)
        rounds = tasks.rounds.select(origin.evaluated)
        early = _learned(pooled, origin, seed)
        assert isinstance(early, MixedMetaPolicy)
        q_hat = early.model.expected_rewards(rounds).cpu()
        seen.setdefault(logging_policy, []).append(logged_as_is(rounds, q_hat))
        at_origin = [
            early if policy.name == pooled.name else _learned(policy, origin, seed) for policy in contenders
        ]
        serving = [SegmentPolicies.adapted(policy, origin.training, exploration) for policy in at_origin]
        probabilities = {policies.name: served_probabilities(policies, rounds) for policies in serving}
        probabilities |= {today.name: today.probabilities(origin.evaluated) for today in serving_today}
        for name, of_policy in probabilities.items():
            seen.setdefault(name, []).append(evaluation_rounds(rounds, of_policy, q_hat))
    return Rolling(
        rounds={name: EvaluationRounds.joined(parts) for name, parts in seen.items()},
        evaluated=torch.cat(evaluated),
        n_origins=len(evaluated),
    )


def _learned(policy: FittedPolicy, origin: Origin, seed: int) -> FittedPolicy:
    """Return the policy as it would have been learned at an origin; at the last one it has been."""
    if origin.is_last:
        return policy
    return policy.fitted_again(origin.training.to(training_device(), torch.float32), seed)
