"""The settings by which rounds become tasks."""

from dataclasses import dataclass

from features.rewards import Reward


@dataclass(frozen=True)
class TaskSettings:
    """The settings by which rounds become tasks; the configuration template explains each of them."""

    reward: Reward
    attribution_hours: int
    segments_by: tuple[str, ...]
    clusters: int
    min_rounds: int
    salt: str
    support_share: float
    query_share: float
    evidence_policies: tuple[str, ...]
    incumbent_policy: str
    seed: int
