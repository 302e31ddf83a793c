"""What the Bayesian last layer is worth by true value, in worlds that differ in how segments differ.

The worlds: 8 features, 8 actions, 260 segments (160 teach, 40 validate, 60 are evaluated) of 150 support
rounds in the median; a shared nonlinear log-odds, and a deviation of each segment from it that is absent,
linear in the context (mild, strong), or a mix of three nonlinear traits. The logging policy knows the shared
part roughly. Judged is the greedy read-out after adapting to the support, as a share of the way from logging
to oracle.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.meta.bayesian_last_layer import BayesianLastLayer
from offline_rl.meta.bayesian_meta_policy import BayesianMetaPolicy
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.shared_fits import SharedFits

Floats = NDArray[np.float64]

DEVIATIONS: Mapping[str, tuple[float, float, float]] = {
    "homogeneous": (0.0, 0.0, 0.0),
    "mild": (0.5, 0.2, 0.0),
    "strong": (1.0, 0.5, 0.0),
    "nonlinear": (0.0, 0.0, 0.82),
}
"""World → standard deviations of an action's intercept, of its slopes, and of the nonlinear traits."""

_SHARED, _LEVEL, _UNIFORM, _TRAITS = 1.7, -1.5, 0.15, 3


@dataclass(frozen=True)
class StudyWorld:
    """log-odds = level + shared(x, a) + intercept_sa + x·slope_sa + sum_k trait_sk h_k(x, a)."""

    inner: Floats
    outer: Floats
    linear: Floats
    appeal: Floats
    tilt: Floats
    intercept: Floats
    slope: Floats
    trait: Floats
    trait_inner: Floats
    trait_outer: Floats

    @property
    def n_actions(self) -> int:
        return len(self.appeal)

    def shared(self, context: Floats) -> Floats:
        return _SHARED * (np.tanh(context @ self.inner) @ self.outer + context @ self.linear + self.appeal)

    def reward_probability(self, context: Floats, segment: NDArray[np.int64]) -> Floats:
        hidden = np.tanh(np.einsum("nd,kdh->nkh", context, self.trait_inner))
        traits = np.einsum("nkh,kha,nk->na", hidden, self.trait_outer, self.trait[segment], optimize=True)
        linear = self.intercept[segment] + np.einsum("nd,nda->na", context, self.slope[segment])
        return 1.0 / (1.0 + np.exp(-(_LEVEL + self.shared(context) + linear + traits)))

    def logging_probability(self, context: Floats) -> Floats:
        odds = np.exp(0.5 * (self.shared(context) + context @ self.tilt))
        return (1.0 - _UNIFORM) * odds / odds.sum(1, keepdims=True) + _UNIFORM / self.n_actions

    def share_of_gap(self, policy: MetaPolicy, tasks: Tasks, contexts: int = 400) -> float:
        """(value of the greedy adapted policy - logging) / (oracle - logging), on meta_test segments."""
        rng = np.random.default_rng(5)
        chosen, logged, best = 0.0, 0.0, 0.0
        for segment in tasks.split("meta_test"):
            context = rng.standard_normal((contexts, len(self.linear)))
            reward = self.reward_probability(context, np.full(contexts, segment))
            probabilities = policy.adapt(tasks.window("support", [segment])).action_probabilities(
                torch.from_numpy(context).float(),
                torch.zeros(contexts, dtype=torch.int64),
                torch.eye(self.n_actions),
                torch.ones(contexts, self.n_actions, dtype=torch.bool),
            )
            chosen += float(reward[np.arange(contexts), probabilities.argmax(1).numpy()].mean())
            logged += float((self.logging_probability(context) * reward).sum(1).mean())
            best += float(reward.max(1).mean())
        return (chosen - logged) / (best - logged)


def study_world(world: str, seed: int, *, segments: int = 260, size: int = 8) -> StudyWorld:
    """size: number of features, and of actions."""
    rng = np.random.default_rng([seed, 17])
    intercept, slope, traits = DEVIATIONS[world]
    d = math.sqrt(size)
    return StudyWorld(
        inner=1.5 / d * rng.standard_normal((size, 12)),
        outer=1.2 / math.sqrt(12) * rng.standard_normal((12, size)),
        linear=0.5 / d * rng.standard_normal((size, size)),
        appeal=0.3 * rng.standard_normal(size),
        tilt=0.5 / d * rng.standard_normal((size, size)),
        intercept=intercept * rng.standard_normal((segments, size)),
        slope=slope * rng.standard_normal((segments, size, size)),
        trait=traits * rng.standard_normal((segments, _TRAITS)),
        trait_inner=1.5 / d * rng.standard_normal((_TRAITS, size, 6)),
        trait_outer=1.2 / math.sqrt(6) * rng.standard_normal((_TRAITS, 6, size)),
    )


def logged_tasks(world: StudyWorld, seed: int, *, rows: int = 150) -> Tasks:
    """rows: the median of a segment's support rounds; as many are its query."""
    rng = np.random.default_rng([seed, 23])
    segments, (size, actions) = len(world.trait), world.linear.shape
    counts = np.maximum(20, rows * np.exp(0.6 * rng.standard_normal(segments))).astype(np.int64)
    segment = np.repeat(np.arange(segments), 2 * counts)
    window = np.concatenate([np.repeat([0, 1], count) for count in counts]).astype(np.int8)
    n = len(segment)
    context = rng.standard_normal((n, size))
    logging = world.logging_probability(context)
    action = (logging.cumsum(1) < rng.random((n, 1))).sum(1).clip(max=actions - 1)
    reward = rng.random(n) < world.reward_probability(context, segment)[np.arange(n), action]
    split = np.full(segments, 2, dtype=np.int8)
    split[: segments * 200 // 260] = 1
    split[: segments * 160 // 260] = 0
    rounds = LoggedRounds(
        context=torch.from_numpy(context).float(),
        slot=torch.zeros(n, dtype=torch.int64),
        action=torch.from_numpy(action),
        reward=torch.from_numpy(reward.astype(np.float64)),
        propensity=torch.from_numpy(logging[np.arange(n), action]),
        set_index=torch.zeros(n, dtype=torch.int64),
        available=torch.ones(1, actions, dtype=torch.bool),
        segment=torch.from_numpy(segment),
        cluster=torch.arange(n),
        item_features=torch.eye(actions),
        n_slots=1,
    )
    return Tasks(
        rounds,
        torch.from_numpy(window),
        torch.from_numpy(split),
        torch.zeros(segments, 1, actions),
        segment_ids=tuple(str(g) for g in range(segments)),
        action_ids=tuple(str(a) for a in range(actions)),
    )


LEARNERS: Mapping[str, BayesianLastLayer] = {
    "m = 0": BayesianLastLayer(sizes=(0,)),
    "m = 8": BayesianLastLayer(sizes=(8,)),
    "nested": BayesianLastLayer(),
}


def test_learned_features_pay_where_segments_differ_nonlinearly() -> None:
    """A small nonlinear world: linear random effects get part of the way, learned features well beyond."""
    world = study_world("nonlinear", 0, segments=104, size=4)
    tasks = logged_tasks(world, 0, rows=60)
    settings = LearningSettings(hidden=8, max_steps=40)
    fits = SharedFits(tasks, settings, seed=0)
    linear, learned = (BayesianLastLayer(sizes=sizes, rows=64).meta_train(fits) for sizes in ((0,), (0, 4)))
    pooled = world.share_of_gap(_switched_off(linear), tasks)
    by_linear, by_learned = (world.share_of_gap(policy, tasks) for policy in (linear, learned))
    assert pooled + 0.03 < by_linear < by_learned - 0.05
    assert learned.notes[-1].numbers["n_features"] == 4


@pytest.mark.slow
@pytest.mark.parametrize("name", DEVIATIONS)
def test_the_nested_choice_is_best_or_near_it_in_every_world(name: str) -> None:
    """The goals: never a point below pooled or m = 0, and 8 points above m = 0 in the nonlinear world."""
    shares = np.array([_shares(name, seed) for seed in (0, 1)])
    report = dict(zip(("pooled", *LEARNERS), shares.T.round(3).tolist(), strict=True))
    pooled, linear, _, nested = shares.mean(0)
    assert nested > max(pooled, linear) - 0.01, report
    if name == "nonlinear":
        assert nested > linear + 0.08, report


def _shares(name: str, seed: int) -> list[float]:
    """Share of the gap of the pooled model and of each of the learners."""
    world = study_world(name, seed)
    tasks = logged_tasks(world, seed)
    fits = SharedFits(tasks, LearningSettings(), seed)
    policies = [learner.meta_train(fits) for learner in LEARNERS.values()]
    return [world.share_of_gap(policy, tasks) for policy in (_switched_off(policies[0]), *policies)]


def _switched_off(policy: BayesianMetaPolicy) -> BayesianMetaPolicy:
    return replace(policy, is_adapting=False)
