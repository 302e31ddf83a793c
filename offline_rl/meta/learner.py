"""What a learner is: it meta-trains across segments, and returns a policy that adapts to one of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.meta.adaptation import adapt
from offline_rl.meta.segment_objective import SegmentObjective, weight_of_logged
from offline_rl.meta.task_batches import pad_tasks
from offline_rl.objectives import effective_sample_size
from offline_rl.policies.softmax_policy import SoftmaxPolicy
from offline_rl.two_tower import Parameters, with_task_dimension


@dataclass(frozen=True)
class LearningSettings:
    """How to learn; the seed is not among them, so that equal settings and several seeds can be compared.

    hidden: width of both towers.

    Adaptation: inner_lr, the longest step tried (1 is the longest safe one), and inner_steps; shrinkage, the
    number of clicks at which a segment's support is followed half way; minimum_rounds and minimum_ess, below
    which a support is too thin to adapt to.
    Meta-training: outer_lr, Adam's rate, decayed to zero over max_steps; gradient_norm, where its gradient is
    clipped; tasks_per_step segments drawn in a step, with rows_per_task rounds of each in support and query.
    Stopping: every evaluate_every steps the meta-validation segments are looked at, and after patience looks
    without a convincing improvement training ends.
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


@dataclass(frozen=True)
class CurvePoint:
    """One row of out_learning_curves.

    loss: the learner's mean objective since the last point.  validation_value, zero_shot_value: doubly robust
    value of the policy on the validation segments' query rounds, with and without adaptation.
    """

    step: int
    loss: float
    validation_value: float
    zero_shot_value: float
    seconds: float


Progress = Callable[[CurvePoint], None]
"""Told each point of the learning curve as it is reached."""


@dataclass(frozen=True, eq=False)
class MetaPolicy:
    """What meta-training returns: a policy for any segment, and the means to adapt it to one.

    parameters are without task dimension.  inner_steps is 0 for a learner that doesn't adapt, and where
    adaptation was switched off; notes say so in sentences.  validation_value is the doubly robust value of
    this policy on the validation segments' query rounds; validation_gain is its paired gain there over the
    pooled model, less a standard error, by which learners can be ordered before the holdout is opened: by
    value alone the noisiest would come first.
    """

    name: str
    parameters: Parameters
    objective: SegmentObjective
    inner_lr: float
    inner_steps: int
    minimum_rounds: int
    minimum_ess: float
    validation_value: float
    validation_gain: float
    curve: tuple[CurvePoint, ...] = ()
    notes: tuple[str, ...] = ()

    def zero_shot(self) -> SoftmaxPolicy:
        """The policy for a segment of which nothing is known."""
        return SoftmaxPolicy(self.name, self.parameters, self.objective.temperature)

    def adapt(self, support: LoggedRounds) -> SoftmaxPolicy:
        """The policy for the segment that `support` comes from; zero-shot where `refusal` has a reason.

        The steps and their length are those that meta-training has validated: nothing is tuned here.
        """
        if self.inner_steps == 0 or self.refusal(support) is not None:
            return self.zero_shot()
        like = self.parameters["context_weight"]
        batch = self.objective.as_support(pad_tasks(*_one_task(support.to(like.device, like.dtype))))
        start = {name: value.detach().requires_grad_() for name, value in self.parameters.items()}
        adapted = adapt(
            self.objective.loss,
            with_task_dimension(start, 1),
            batch,
            inner_lr=self.inner_lr,
            inner_steps=self.inner_steps,
            create_graph=False,
        )
        parameters = {name: value[0].detach() for name, value in adapted.items()}
        return SoftmaxPolicy(self.name, parameters, self.objective.temperature)

    def refusal(self, support: LoggedRounds) -> str | None:
        """Why this support is too thin to adapt to, as a sentence; None if it isn't."""
        if support.n < self.minimum_rounds:
            return f"{support.n} rounds in the support, fewer than the {self.minimum_rounds} needed to adapt."
        like = self.parameters["context_weight"]
        batch = pad_tasks(*_one_task(support.to(like.device, like.dtype)))
        start = with_task_dimension(self.parameters, 1)
        weight = weight_of_logged(start, batch, self.objective.temperature)
        ess = float(effective_sample_size(weight, batch["mask"])[0])
        if ess < self.minimum_ess:
            return (
                f"The support's effective sample size is {ess:.1f}, below the {self.minimum_ess:g} needed to "
                "adapt: the log rarely shows what this policy would."
            )
        return None


class Learner(Protocol):
    """Learns one policy from the tasks of all segments."""

    @property
    def name(self) -> str:
        """The name that tables and reports show."""
        ...

    def meta_train(
        self, tasks: Tasks, settings: LearningSettings, seed: int, *, progress: Progress | None = None
    ) -> MetaPolicy:
        """Learn from the support and query rounds of the meta_train segments.

        The meta_validation segments decide when to stop and whether adaptation pays; holdout rounds and
        meta_test segments are not looked at.  The same tasks, settings and seed give the same policy.
        Raises InputDataError if no segment has rounds to learn from.
        """
        ...


def _one_task(rounds: LoggedRounds) -> tuple[LoggedRounds, list[Tensor]]:
    return rounds, [rounds.action.new_tensor(range(rounds.n))]
