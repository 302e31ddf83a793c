"""The settings by which rounds become tasks."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class TaskSettings:
    """The settings by which rounds become tasks; the configuration template explains each of them.

    propensities: whether evidence is the rounds that have one, or those that lack one and get an estimate.
    """

    reward: str
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
    propensities: Literal["logged", "estimated"] = "logged"
