"""Learners by the names that configuration, tables and reports use."""

from offline_rl.meta.bayesian_last_layer import BayesianLastLayer
from offline_rl.meta.beta_binomial import BetaBinomial
from offline_rl.meta.boosting import Boosting
from offline_rl.meta.crosses_logit import CrossesLogit
from offline_rl.meta.fine_tuned import FineTuned
from offline_rl.meta.item_rates import ItemRates
from offline_rl.meta.learner import Learner
from offline_rl.meta.maml import Maml
from offline_rl.meta.mixed_effects import MixedEffects
from offline_rl.meta.per_segment import PerSegment
from offline_rl.meta.pooled_reward_model import PooledRewardModel
from offline_rl.meta.pooled_two_tower import PooledTwoTower
from offline_rl.meta.random_effects import RandomEffects
from offline_rl.meta.reinforce import Reinforce
from offline_rl.meta.reptile import Reptile

BASELINE = PooledRewardModel()
"""The baseline that every learner must beat: always trained, and shipped where nothing beats it."""

CONSTANT: tuple[Learner, ...] = (ItemRates(), ItemRates("segment_item_rates", by_segment=True))
"""Learners that show all users, or all users of a segment, the same. Always trained: they take a second."""

PLAIN: tuple[Learner, ...] = (
    BASELINE,
    *CONSTANT,
    CrossesLogit(),
    Boosting(),
    PooledTwoTower(),
    FineTuned(),
    PerSegment(),
    BetaBinomial(),
    RandomEffects(),
)
"""Baselines: nothing is meta-trained but scales and step lengths."""

META: tuple[Learner, ...] = (
    MixedEffects(),
    Maml(),
    Maml("fomaml", first_order=True),
    Maml("anil", head_only=True, learned_rates=True),
    Maml("maml_rates", learned_rates=True),
    Reptile(),
    Reinforce(),
    BayesianLastLayer(),
)

LEARNERS: dict[str, Learner] = {learner.name: learner for learner in (*PLAIN, *META)}
"""name → learner, plain ones first."""
