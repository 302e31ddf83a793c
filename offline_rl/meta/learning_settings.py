"""Settings of learning: step lengths, limits and patience, the same for every learner of a night."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LearningSettings:
    """Settings of learning. The seed is not among them, so that seeds can be compared at equal settings.

    hidden: width of both towers.

    Adaptation: inner_lr, the longest step tried (1 is the longest safe one), and inner_steps; shrinkage, the
    number of clicks at which a segment's support is followed half way; minimum_rounds and minimum_ess, below
    which a support is too thin to adapt to.
    Meta-training: outer_lr, Adam's rate, decayed to zero over max_steps; gradient_norm, where its gradient is
    clipped; tasks_per_step segments drawn in a step, with rows_per_task rounds of each in support and query.
    Stopping: every evaluate_every steps is a checkpoint on the meta-validation segments, and after patience
    checkpoints without a convincing improvement training ends.
    clip, kl_weight and entropy_weight belong to the importance-weighted objective.
    """

    hidden: int = 16
    inner_lr: float = 1.0
    inner_steps: int = 3
    shrinkage: float = 10.0
    outer_lr: float = 0.005
    max_steps: int = 200
    gradient_norm: float = 5.0
    tasks_per_step: int = 8
    rows_per_task: int = 512
    evaluate_every: int = 10
    patience: int = 8
    clip: float = 20.0
    kl_weight: float = 0.01
    entropy_weight: float = 0.001
    minimum_rounds: int = 20
    minimum_ess: float = 10.0
