"""Meta-policy: what meta-training returns, a policy for any segment and the means to adapt it to one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from torch import Tensor

from features.contracts.findings import Finding
from offline_rl.logged_data import LoggedRounds
from offline_rl.policies.policy import Policy
from offline_rl.two_tower import Parameters


@dataclass(frozen=True)
class CurvePoint:
    """One row of out_learning_curves.

    loss: the learner's mean objective since the last point. validation_value, zero_shot_value: doubly robust
    value of the policy on the validation rounds, with and without adaptation.
    """

    step: int
    loss: float
    validation_value: float
    zero_shot_value: float
    seconds: float


Progress = Callable[[CurvePoint], None]
"""Receives each point of the learning curve as it is reached."""


class WithoutPooledModel:
    """A meta-policy that uses no pooled reward model of two towers: another one changes nothing."""

    def with_pooled_model(self, pooled: Parameters, before: Parameters) -> Self:
        """Return the policy itself."""
        del pooled, before
        return self


class MetaPolicy(Protocol):
    """What meta-training returns: a policy for any segment, and the means to adapt it to one.

    validation_value is the doubly robust value of this policy on rounds of the validation segments that it
    had not adapted to (`offline_rl.meta.validation`); validation_gain is its paired gain there over the
    pooled model, less a standard error. Both are noisy: contenders are chosen by likelihood first
    (`offline_rl.meta.choice`). notes say what readers should know, such as that adaptation was
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
    def notes(self) -> tuple[Finding, ...]:
        """See the class."""
        ...

    @property
    def adapts(self) -> bool:
        """Whether a segment's policy can differ from the zero-shot one."""
        ...

    def zero_shot(self) -> Policy:
        """Return the policy for a segment without rounds of its own."""
        ...

    def adapt(self, support: LoggedRounds) -> Policy:
        """Return policy for the segment that `support` comes from; zero-shot where `refusal` has a reason.

        Nothing is tuned here: how to adapt was decided while meta-training.
        """
        ...

    def refusal(self, support: LoggedRounds) -> str | None:
        """Return why this support is too thin to adapt to, as a sentence; None if it isn't."""
        ...

    def with_pooled_model(self, pooled: Parameters, before: Parameters) -> Self:
        """Return the policy with another pooled reward model than the one it was learned with, `before`.

        What was learned about adapting stays (see `offline_rl.meta.refit`); a policy without a pooled model
        under it is its own answer.
        """
        ...

    def numbers(self) -> dict[str, Tensor]:
        """Return the tensors to store, by name."""
        ...

    def card(self) -> dict[str, Any]:
        """Return the fields but the tensors, the curve and those above, in a form that JSON can hold."""
        ...
