"""How rounds become tasks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TaskSettings:
    """How rounds become tasks; the commented configuration says what each word means."""

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
