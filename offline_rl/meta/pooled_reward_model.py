"""The plain baseline: one reward model for all segments, followed greedily."""

from dataclasses import dataclass

from offline_rl.meta.mixed_effects import MixedEffects


@dataclass(frozen=True)
class PooledRewardModel(MixedEffects):
    """A mixed model without the segments' own level: what every learner must beat."""

    name: str = "pooled_reward_model"
    with_segments: bool = False
