"""Worlds for learners: rounds drawn from click probabilities that are known, in the log's own format."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from offline_rl.logged_data import Tasks, load_tasks
from offline_rl.policies.policy import Policy

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """click log-odds = level + slot + z·(B x) + z·w + item + z·deviation[segment]."""

    level: float
    slot_effect: Floats
    affinity: Floats
    appeal: Floats
    item_effect: Floats
    deviation: Floats
    item_features: Floats
    logging_tilt: float

    @property
    def n_segments(self) -> int:
        return len(self.deviation)

    def click_probability(
        self, context: Floats, slot: NDArray[np.int64], segment: NDArray[np.int64]
    ) -> Floats:
        taste = context @ self.affinity + self.appeal + self.deviation[segment]
        scores = taste @ self.item_features.T + self.item_effect
        return 1.0 / (1.0 + np.exp(-(self.level + self.slot_effect[slot][:, None] + scores)))

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
    seed: int = 0,
) -> World:
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
    )


def log_rounds(
    world: World,
    rounds_per_segment: int,
    seed: int = 0,
    splits: tuple[float, float] = (0.6, 0.2),
    segment_split: NDArray[np.int8] | None = None,
) -> dict[str, NDArray[np.generic]]:
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
    }


def load_world(path: Path, arrays: dict[str, NDArray[np.generic]]) -> Tasks:
    np.savez(path / "rounds_world.npz", **arrays)
    return load_tasks(path / "rounds_world.npz")
