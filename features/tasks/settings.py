"""The settings by which rounds become tasks."""

from dataclasses import dataclass
from typing import Literal

from features.rewards import Reward

FEWEST_TO_ESTIMATE = 30
"""Rounds from which a level of a trait has a column of its own where propensities are estimated."""


@dataclass(frozen=True)
class TaskSettings:
    """The settings by which rounds become tasks; the configuration template explains each of them.

    propensities: whether evidence is the rounds that have one, or those that lack one and get an estimate.
    tried_learners: of candidates of experiments, whose rounds are not of what serves.
    """

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
    propensities: Literal["logged", "estimated"] = "logged"
    tried_learners: tuple[str, ...] = ()

    @property
    def fewest_of_a_level(self) -> int:
        """Fewest rounds of a trait's level that has a column of its own in contexts.

        A policy that is to be estimated may have looked at any level. What it did there is known from a few
        dozen rounds; left out, its rule would look like chance.
        """
        return self.min_rounds if self.propensities == "logged" else min(self.min_rounds, FEWEST_TO_ESTIMATE)
