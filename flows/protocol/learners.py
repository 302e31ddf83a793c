"""Whom the protocol compares: one name for each learner, plain ones first."""

from offline_rl.meta.bayesian_last_layer import BayesianLastLayer
from offline_rl.meta.beta_binomial import BetaBinomial
from offline_rl.meta.fine_tuned import FineTuned
from offline_rl.meta.learner import Learner
from offline_rl.meta.maml import Maml
from offline_rl.meta.per_segment import PerSegment
from offline_rl.meta.pooled_reward_model import PooledRewardModel
from offline_rl.meta.random_effects import RandomEffects
from offline_rl.meta.reinforce import Reinforce
from offline_rl.meta.reptile import Reptile

_PLAIN: tuple[Learner, ...] = (
    PooledRewardModel(),
    FineTuned(),
    PerSegment(),
    BetaBinomial(),
    RandomEffects(),
)
_META: tuple[Learner, ...] = (
    Maml(),
    Maml("fomaml", first_order=True),
    Reptile(),
    Reinforce(),
    BayesianLastLayer(),
)

LEARNERS: dict[str, Learner] = {learner.name: learner for learner in (*_PLAIN, *_META)}

POOLED, RANDOM_EFFECTS, HYBRID = "pooled_reward_model", "random_effects", "bayesian_last_layer"

POOLED_WITH_SUPPORT = "pooled_with_test_support"
"""The pooled reward model, fitted on the test segments' support too: what adapting learners see, it sees."""

SHIPPED = "shipped"
"""In each study the learner that the night would choose by its validation gain, or the pooled model."""

BASELINES = (*(learner.name for learner in _PLAIN), POOLED_WITH_SUPPORT)
"""What a meta-learner has to beat."""
