"""Worlds for learners, with click probabilities that are known, and the laws that every learner obeys.

A law takes a learner and a folder to write its log into. Most are about input that no learner may stumble
over: each has a defined outcome, and no number that isn't finite leaves a learner.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from features.contracts.finding_codes import LEARNERS as NOTES
from offline_rl.logged_data import LoggedRounds, Tasks, load_tasks
from offline_rl.meta.learner import Learner
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.meta_policy import CurvePoint, MetaPolicy
from offline_rl.meta.refit import refitted
from offline_rl.meta.shared_fits import Refits, SharedFits
from offline_rl.meta.task_batches import Batch, pad_tasks, rows_by_segment
from offline_rl.policies.policy import Policy

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class World:
    """click log-odds = level + slot + z·(B x + w + deviation[segment]) + item + own[segment, item]·(1, x)."""

    level: float
    slot_effect: Floats
    affinity: Floats
    appeal: Floats
    item_effect: Floats
    deviation: Floats
    item_features: Floats
    logging_tilt: float
    own: Floats

    @property
    def n_segments(self) -> int:
        return len(self.deviation)

    def click_probability(
        self, context: Floats, slot: NDArray[np.int64], segment: NDArray[np.int64]
    ) -> Floats:
        taste = context @ self.affinity + self.appeal + self.deviation[segment]
        scores = taste @ self.item_features.T + self.item_effect + self.own_effects(context, segment)
        return 1.0 / (1.0 + np.exp(-(self.level + self.slot_effect[slot][:, None] + scores)))

    def own_effects(self, context: Floats, segment: NDArray[np.int64]) -> Floats:
        """What a segment thinks of an item that no other segment does, and no other item shares: [n, A]."""
        effects = self.own[segment, :, 0]
        if self.own[..., 1:].any():
            for present in np.unique(segment):
                rows = segment == present
                effects[rows] += context[rows] @ self.own[present, :, 1:].T
        return effects

    def logging_probability(self, click_probability: Floats) -> Floats:
        odds = (click_probability / click_probability.mean(1, keepdims=True)) ** self.logging_tilt
        return 0.5 * odds / odds.sum(1, keepdims=True) + 0.5 / odds.shape[1]

    def value(self, policy: Policy, segment: int, rounds: int = 4000) -> float:
        """The policy's true click rate in a segment, over contexts that nobody has logged."""
        rng = np.random.default_rng(10_000 + segment)
        context = rng.standard_normal((rounds, len(self.affinity)))
        slot = rng.integers(len(self.slot_effect), size=rounds)
        clicks = self.click_probability(context, slot, np.full(rounds, segment))
        chosen = policy.action_probabilities(
            torch.from_numpy(context).float(),
            torch.from_numpy(slot),
            torch.from_numpy(self.item_features).float(),
            torch.ones(rounds, len(self.item_features), dtype=torch.bool),
        )
        return float((chosen.double().cpu().numpy() * clicks).sum(1).mean())

    def reference_values(self, segment: int, rounds: int = 4000) -> tuple[float, float]:
        """(logging policy's, best possible) click rate in a segment."""
        rng = np.random.default_rng(10_000 + segment)
        context = rng.standard_normal((rounds, len(self.affinity)))
        slot = rng.integers(len(self.slot_effect), size=rounds)
        clicks = self.click_probability(context, slot, np.full(rounds, segment))
        logged = (self.logging_probability(clicks) * clicks).sum(1).mean()
        return float(logged), float(clicks.max(1).mean())


def make_world(
    *,
    segments: int = 16,
    items: int = 12,
    features: int = 4,
    contexts: int = 5,
    click_rate: float = 0.05,
    heterogeneity: float = 0.5,
    shared: float = 0.4,
    logging_tilt: float = 0.5,
    item_deviation: float = 0.0,
    slope_deviation: float = 0.0,
    seed: int = 0,
) -> World:
    """heterogeneity: of tastes for item features; item_deviation, slope_deviation: of each item by itself."""
    rng = np.random.default_rng(seed)
    return World(
        level=float(np.log(click_rate / (1 - click_rate))),
        slot_effect=np.array([0.2, 0.0, -0.2]),
        affinity=shared * rng.standard_normal((contexts, features)) / np.sqrt(contexts),
        appeal=shared * rng.standard_normal(features) / np.sqrt(features),
        item_effect=0.5 * shared * rng.standard_normal(items),
        deviation=heterogeneity * rng.standard_normal((segments, features)),
        item_features=rng.standard_normal((items, features)),
        logging_tilt=logging_tilt,
        own=rng.standard_normal((segments, items, 1 + contexts))
        * np.array([item_deviation, *[slope_deviation] * contexts]),
    )


def opposite_world(segments: int = 12) -> World:
    """Two items; even segments click on the first only, odd ones on the second only."""
    sign = np.where(np.arange(segments) % 2 == 0, 1.0, -1.0)
    return World(
        level=-1.0,
        slot_effect=np.zeros(1),
        affinity=np.zeros((2, 1)),
        appeal=np.zeros(1),
        item_effect=np.zeros(2),
        deviation=2.0 * sign[:, None],
        item_features=np.array([[1.0], [-1.0]]),
        logging_tilt=0.0,
        own=np.zeros((segments, 2, 3)),
    )


def log_rounds(
    world: World,
    rounds_per_segment: int,
    seed: int = 0,
    splits: tuple[float, float] = (0.6, 0.2),
    segment_split: NDArray[np.int8] | None = None,
) -> Arrays:
    """The arrays of rounds_<domain>.npz: a night of `rounds_per_segment` logged rounds in every segment."""
    rng = np.random.default_rng(seed)
    n = rounds_per_segment * world.n_segments
    segment = np.repeat(np.arange(world.n_segments), rounds_per_segment)
    context = rng.standard_normal((n, len(world.affinity)))
    slot = rng.integers(len(world.slot_effect), size=n)
    clicks = world.click_probability(context, slot, segment)
    logging = world.logging_probability(clicks)
    action = (logging.cumsum(1) < rng.random((n, 1))).sum(1).clip(max=clicks.shape[1] - 1)
    rows = np.arange(n)
    position = np.tile(np.linspace(0.0, 1.0, rounds_per_segment, endpoint=False), world.n_segments)
    if segment_split is None:
        train, validation = (round(share * world.n_segments) for share in splits)
        order = rng.permutation(world.n_segments)
        segment_split = np.full(world.n_segments, 2, dtype=np.int8)
        segment_split[order[:train]] = 0
        segment_split[order[train : train + validation]] = 1
    counts = np.zeros((world.n_segments, len(world.slot_effect), clicks.shape[1]))
    np.add.at(counts, (segment, slot, action), 1.0)
    return {
        "context": context.astype(np.float32),
        "slot": slot,
        "action": action,
        "reward": (rng.random(n) < clicks[rows, action]).astype(np.float64),
        "propensity": logging[rows, action],
        "set_index": np.zeros(n, dtype=np.int64),
        "available": np.ones((1, clicks.shape[1]), dtype=np.bool_),
        "segment": segment,
        "cluster": rows // 3,
        "window": np.select([position < 0.5, position < 0.7], [0, 1], 2).astype(np.int8),
        "item_features": world.item_features.astype(np.float32),
        "incumbent_counts": counts,
        "segment_split": segment_split,
        "n_slots": np.array(len(world.slot_effect)),
        "segment_ids": np.array([f"segment {g}" for g in range(world.n_segments)]),
        "action_ids": np.array([f"item {a}" for a in range(clicks.shape[1])]),
    }


def load_world(path: Path, arrays: Arrays) -> Tasks:
    np.savez(path / "rounds_world.npz", **arrays)
    return load_tasks(path / "rounds_world.npz")


def task_batch(rounds: LoggedRounds, segments: Sequence[int]) -> Batch:
    """All rounds of some segments, one task per segment."""
    return pad_tasks(rounds, rows_by_segment(rounds, segments))


LAWFUL = LearningSettings(
    max_steps=4, evaluate_every=2, patience=2, hidden=4, rows_per_task=32, tasks_per_step=4
)
"""Settings of the laws: no law needs a learner to have learned much."""


def chosen(policy: Policy, rounds: LoggedRounds) -> torch.Tensor:
    return policy.action_probabilities(
        rounds.context, rounds.slot, rounds.item_features, rounds.availability()
    )


def assert_sound(policy: MetaPolicy, tasks: Tasks, supports: list[LoggedRounds]) -> None:
    """All that leaves the policy is finite, and what it serves is a distribution over available items."""
    rounds = tasks.window("holdout")
    for served in (policy.zero_shot(), *(policy.adapt(support) for support in supports)):
        probabilities = chosen(served, rounds)
        assert bool(torch.isfinite(probabilities).all())
        assert float(probabilities.min()) >= 0.0
        assert float((probabilities.sum(-1) - 1.0).abs().max()) < 1e-5
        assert float(probabilities[~rounds.availability()].sum()) == 0.0
    assert all(bool(torch.isfinite(tensor).all()) for tensor in policy.numbers().values())
    assert np.isfinite([policy.validation_value, policy.validation_gain]).all()
    assert all(note.code in NOTES for note in policy.notes)


@cache
def spoiled_fits(folder: Path, spoil: Callable[[Arrays], Arrays]) -> SharedFits:
    """Of a small log with one thing odd; the same object for every learner, to share its warm start."""
    world = make_world(segments=10, items=4, features=2, contexts=3, click_rate=0.3, heterogeneity=1.0)
    return SharedFits(load_world(folder, spoil(log_rounds(world, 60))), LAWFUL, seed=0)


def untouched(arrays: Arrays) -> Arrays:
    return arrays


def without_rewards(arrays: Arrays) -> Arrays:
    return {**arrays, "reward": np.zeros(len(arrays["reward"]))}


def with_certain_rewards(arrays: Arrays) -> Arrays:
    return {**arrays, "reward": np.ones(len(arrays["reward"]))}


def with_silent_segments(arrays: Arrays) -> Arrays:
    return {**arrays, "reward": np.where(arrays["segment"] % 2 == 0, 0.0, arrays["reward"].astype(float))}


def with_amounts(arrays: Arrays) -> Arrays:
    """Rewards in cents, a few of them very large and some negative."""
    amounts = np.random.default_rng(3).lognormal(6.0, 2.0, len(arrays["reward"]))
    return {**arrays, "reward": arrays["reward"].astype(float) * amounts - 10.0}


def with_one_action(arrays: Arrays) -> Arrays:
    """A log in which nothing was ever chosen: a single item, shown with certainty."""
    n = len(arrays["action"])
    return {
        **arrays,
        "action": np.zeros(n, dtype=np.int64),
        "propensity": np.ones(n),
        "available": np.ones((1, 1), dtype=np.bool_),
        "item_features": arrays["item_features"][:1],
        "incumbent_counts": arrays["incumbent_counts"][:, :, :1],
        "action_ids": arrays["action_ids"][:1],
    }


def with_one_action_per_segment(arrays: Arrays) -> Arrays:
    """Several items are on offer, and every segment has seen one of them only."""
    return {**arrays, "action": arrays["segment"] % 4}


def with_equal_propensities(arrays: Arrays) -> Arrays:
    return {**arrays, "propensity": np.full(len(arrays["propensity"]), 0.25)}


def with_an_action_nobody_trained_on(arrays: Arrays) -> Arrays:
    """The last item is shown in the holdout only; before, the first one stood in for it."""
    early = (arrays["window"] < 2) & (arrays["action"] == 3)
    return {**arrays, "action": np.where(early, 0, arrays["action"])}


def with_lonely_rows(arrays: Arrays) -> Arrays:
    """Half of the segments have a single support round and a single query round."""
    first = np.arange(len(arrays["window"])) % 60
    thin = arrays["segment"] % 2 == 0
    window = np.where(thin & (arrays["window"] < 2) & (first != 0) & (first != 35), 3, arrays["window"])
    return {**arrays, "window": window.astype(np.int8)}


def with_constant_context(arrays: Arrays) -> Arrays:
    return {**arrays, "context": np.zeros_like(arrays["context"])}


SPOILED = (
    untouched,
    without_rewards,
    with_certain_rewards,
    with_silent_segments,
    with_amounts,
    with_one_action,
    with_one_action_per_segment,
    with_equal_propensities,
    with_an_action_nobody_trained_on,
    with_lonely_rows,
    with_constant_context,
)
"""Logs that are odd and allowed: every learner learns a sound policy from each of them."""


def what_is_learned_is_sound(
    learner: Learner, folder: Path, spoil: Callable[[Arrays], Arrays] = untouched
) -> None:
    """From an odd log too, and for supports that are whole, one row, one item, or empty."""
    fits = spoiled_fits(folder, spoil)
    tasks, policy = fits.tasks, learner.meta_train(fits)
    whole = tasks.window("training", [tasks.split("meta_test")[0]])
    one_row, nothing = whole.select(torch.tensor([0])), whole.select(torch.tensor([], dtype=torch.int64))
    one_item = whole.select(whole.action == whole.action[0])
    for served in (policy, refitted(policy, Refits.before_holdout(fits))):
        assert_sound(served, tasks, [whole, one_row, one_item, nothing, tasks.window("training")])


def a_log_without_rewards_teaches_nothing(learner: Learner, folder: Path) -> None:
    fits = spoiled_fits(folder, without_rewards)
    tasks, policy = fits.tasks, learner.meta_train(fits)
    for served in (policy.zero_shot(), policy.adapt(tasks.window("training", [0]))):
        assert float((chosen(served, tasks.window("holdout")) - 0.25).abs().max()) < 0.05


def an_empty_support_is_refused_in_a_sentence(learner: Learner, folder: Path) -> None:
    fits = spoiled_fits(folder, untouched)
    tasks, policy = fits.tasks, learner.meta_train(fits)
    rounds = tasks.window("holdout")
    nothing = tasks.rounds.select(torch.tensor([], dtype=torch.int64))
    assert (policy.refusal(nothing) or "").endswith(".")
    assert torch.equal(chosen(policy.adapt(nothing), rounds), chosen(policy.zero_shot(), rounds))


def an_unseen_action_is_served_within_reason(learner: Learner, folder: Path) -> None:
    """Nothing is known of it but its features: it is neither excluded nor chosen for certain everywhere."""
    fits = spoiled_fits(folder, with_an_action_nobody_trained_on)
    tasks, policy = fits.tasks, learner.meta_train(fits)
    share = chosen(policy.adapt(tasks.window("training", [0])), tasks.window("holdout"))[:, 3]
    assert 0.0 < float(share.mean()) < 1.0


def the_order_of_rounds_is_irrelevant(learner: Learner, folder: Path) -> None:
    fits = spoiled_fits(folder, untouched)
    tasks, policy = fits.tasks, learner.meta_train(fits)
    support, rounds = tasks.window("training", [0]), tasks.window("holdout")
    shuffled = support.select(torch.randperm(support.n, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(
        chosen(policy.adapt(shuffled), rounds), chosen(policy.adapt(support), rounds), rtol=1e-3, atol=1e-4
    )


def adapting_forgets_the_last_segment(learner: Learner, folder: Path) -> None:
    """A policy is a value: what it has adapted to before changes nothing."""
    fits = spoiled_fits(folder, untouched)
    tasks, policy = fits.tasks, learner.meta_train(fits)
    rounds, support = tasks.window("holdout"), tasks.window("training", [1])
    before = chosen(policy.zero_shot(), rounds), chosen(policy.adapt(support), rounds)
    policy.adapt(tasks.window("training", [2]))
    after = chosen(policy.zero_shot(), rounds), chosen(policy.adapt(support), rounds)
    assert all(torch.equal(old, new) for old, new in zip(before, after, strict=True))


def the_same_seed_learns_the_same_numbers(learner: Learner, folder: Path) -> None:
    tasks = spoiled_fits(folder, untouched).tasks
    first = learner.meta_train(SharedFits(tasks, LAWFUL, seed=4))
    torch.manual_seed(99)
    again = learner.meta_train(SharedFits(tasks, LAWFUL, seed=4))
    assert_equal_policies(first, again)


def holdout_and_test_segments_are_not_looked_at(learner: Learner, folder: Path) -> None:
    honest = learner.meta_train(spoiled_fits(folder, untouched))
    fooled = learner.meta_train(spoiled_fits(folder, with_a_false_future))
    assert_equal_policies(honest, fooled)


def with_a_false_future(arrays: Arrays) -> Arrays:
    """Opposite rewards in holdout rounds and in test segments."""
    return with_false_test_segments(with_a_false_holdout(arrays))


def with_a_false_holdout(arrays: Arrays) -> Arrays:
    return _turned_around(arrays, arrays["window"] == 2)


def with_false_test_segments(arrays: Arrays) -> Arrays:
    """Opposite rewards before the holdout of test segments."""
    tests = np.flatnonzero(arrays["segment_split"] == 2)
    return _turned_around(arrays, (arrays["window"] != 2) & np.isin(arrays["segment"], tests))


def _turned_around(arrays: Arrays, rows: NDArray[np.bool_]) -> Arrays:
    return {**arrays, "reward": np.where(rows, 1.0 - arrays["reward"].astype(float), arrays["reward"])}


def the_refit_looks_at_every_segment_and_at_no_holdout(learner: Learner, folder: Path) -> None:
    """The pooled model under a policy learns from test segments too; without one nothing changes."""
    honest, late, elsewhere = (
        refitted(learner.meta_train(fits), Refits.before_holdout(fits))
        for fits in (
            spoiled_fits(folder, spoil)
            for spoil in (untouched, with_a_false_holdout, with_false_test_segments)
        )
    )
    assert_equal_policies(honest, late)
    unchanged = all(torch.equal(value, elsewhere.numbers()[name]) for name, value in honest.numbers().items())
    assert unchanged == (honest.kind in ("per_segment", "beta_binomial"))


def what_is_stored_serves_the_same(learner: Learner, folder: Path) -> None:
    fits = spoiled_fits(folder, untouched)
    tasks, policy = fits.tasks, learner.meta_train(fits)
    kind: Any = type(policy)
    restored = kind.restored(
        {name: tensor.clone() for name, tensor in policy.numbers().items()},
        json.loads(json.dumps(policy.card())),
        name=policy.name,
        validation_value=policy.validation_value,
        validation_gain=policy.validation_gain,
        notes=policy.notes,
    )
    rounds, support = tasks.window("holdout"), tasks.window("training", [0])
    assert torch.equal(chosen(restored.adapt(support), rounds), chosen(policy.adapt(support), rounds))
    assert restored.adapts == policy.adapts
    assert_equal_policies(restored, policy)


def the_learning_curve_is_told_as_it_is_learned(learner: Learner, folder: Path) -> None:
    reported: list[CurvePoint] = []
    policy = learner.meta_train(spoiled_fits(folder, untouched), progress=reported.append)
    assert tuple(reported) == policy.curve
    assert reported[0].step == 0
    assert [point.step for point in reported] == sorted({point.step for point in reported})
    assert all(np.isfinite([point.validation_value, point.zero_shot_value]).all() for point in reported)
    assert [point.seconds for point in reported] == sorted(point.seconds for point in reported)


def assert_equal_policies(first: MetaPolicy, second: MetaPolicy) -> None:
    one, other = first.numbers(), second.numbers()
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert first.card() == second.card()
    assert first.notes == second.notes


LAWS: tuple[Callable[[Learner, Path], None], ...] = (
    a_log_without_rewards_teaches_nothing,
    an_unseen_action_is_served_within_reason,
    an_empty_support_is_refused_in_a_sentence,
    the_order_of_rounds_is_irrelevant,
    adapting_forgets_the_last_segment,
    the_learning_curve_is_told_as_it_is_learned,
    what_is_stored_serves_the_same,
    the_same_seed_learns_the_same_numbers,
    holdout_and_test_segments_are_not_looked_at,
    the_refit_looks_at_every_segment_and_at_no_holdout,
)
"""Each is a function of a learner and a folder; `what_is_learned_is_sound` also of one of the SPOILED."""
