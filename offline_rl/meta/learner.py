"""What a learner is: it meta-trains across segments, and returns a policy that adapts to one of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from torch import Tensor

from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.policies.policy import Policy
from offline_rl.two_tower import Parameters


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
    value of the policy on the rounds that validation judges, with and without adaptation.
    """

    step: int
    loss: float
    validation_value: float
    zero_shot_value: float
    seconds: float


Progress = Callable[[CurvePoint], None]
"""Told each point of the learning curve as it is reached."""


class MetaPolicy(Protocol):
    """What meta-training returns: a policy for any segment, and the means to adapt it to one.

    validation_value is the doubly robust value of this policy on rounds of the validation segments that it
    had not adapted to (`offline_rl.meta.validation`); validation_gain is its paired gain there over the
    pooled model, less a standard error.  Both are noisy: who asks to serve is decided by likelihood first
    (`offline_rl.meta.choice`).  notes say in sentences what readers should know, such as that adaptation was
    switched off.
    `numbers` and `card` are what `offline_rl.artifacts` stores of it, under the class's `kind`.
    """

    kind: ClassVar[str]

    @property
    def name(self) -> str:
        """The name that tables and reports show."""
        ...

    @property
    def validation_value(self) -> float:
        """See the class."""
        ...

    @property
    def validation_gain(self) -> float:
        """See the class."""
        ...

    @property
    def curve(self) -> tuple[CurvePoint, ...]:
        """How learning went; at least one point when it has just been learned."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """See the class."""
        ...

    @property
    def adapts(self) -> bool:
        """Whether a segment's policy can differ from the zero-shot one."""
        ...

    def zero_shot(self) -> Policy:
        """The policy for a segment of which nothing is known."""
        ...

    def adapt(self, support: LoggedRounds) -> Policy:
        """The policy for the segment that `support` comes from; zero-shot where `refusal` has a reason.

        Nothing is tuned here: how to adapt was decided while meta-training.
        """
        ...

    def refusal(self, support: LoggedRounds) -> str | None:
        """Why this support is too thin to adapt to, as a sentence; None if it isn't."""
        ...

    def upon(self, pooled: Parameters, before: Parameters) -> Self:
        """The same policy upon another pooled reward model than the one it was learned with, `before`.

        What was learned about adapting stays (see `offline_rl.meta.refit`); a policy without a pooled model
        under it is its own answer.
        """
        ...

    def numbers(self) -> dict[str, Tensor]:
        """The tensors to store, by name."""
        ...

    def card(self) -> dict[str, Any]:
        """Everything but the tensors, the curve and the fields above, as JSON can hold it."""
        ...


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
