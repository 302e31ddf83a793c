"""A meta-policy that adapts by gradient steps: two-tower parameters, and how far to move them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.adaptation import adapt, within_reach
from offline_rl.meta.learner import CurvePoint
from offline_rl.meta.segment_objective import SegmentObjective, weight_of_logged
from offline_rl.meta.task_batches import pad_tasks
from offline_rl.objectives import effective_sample_size
from offline_rl.policies.softmax_policy import SoftmaxPolicy
from offline_rl.two_tower import Parameters, with_task_dimension

_RATE = "rate."


@dataclass(frozen=True, eq=False)
class GradientMetaPolicy:
    """Adapts two-tower scores to a segment by inner_steps of gradient descent on its support.

    parameters are without task dimension.  inner_steps is 0 for a learner that doesn't adapt, and where
    adaptation was switched off.  rates [inner_steps] by tensor: the steps of the tensors that move, learned
    or not; empty where all move by inner_lr.  A learned kappa is the objective's shrinkage.  longest_move:
    how far |theta_K - theta_0| may be, so that a strange log leads hardly further than validation has seen;
    None sets no limit.  The other fields: see `MetaPolicy`.
    """

    kind: ClassVar[str] = "gradient"

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
    rates: Mapping[str, Tensor] = field(default_factory=dict)
    longest_move: float | None = None

    def zero_shot(self) -> SoftmaxPolicy:
        """The policy for a segment of which nothing is known."""
        return SoftmaxPolicy(self.name, self.parameters, self.objective.temperature)

    def adapt(self, support: LoggedRounds) -> SoftmaxPolicy:
        """The policy for the segment that `support` comes from; zero-shot where `refusal` has a reason.

        The steps and their length are those that meta-training has validated: nothing is tuned here.
        """
        if self.inner_steps == 0 or self._thinness(support) is not None:
            return self.zero_shot()
        parameters = self._adapted(support)
        if parameters is None:
            return self.zero_shot()
        return SoftmaxPolicy(self.name, parameters, self.objective.temperature)

    def refusal(self, support: LoggedRounds) -> str | None:
        """Why this support isn't adapted to, as a sentence; None if it is.

        A support may be too thin, or so strange that no finite policy comes out of it.
        """
        thinness = self._thinness(support)
        if thinness is not None or self.inner_steps == 0:
            return thinness
        if self._adapted(support) is None:
            return "Adapting to the support leads to numbers that aren't finite: look at its rewards."
        return None

    def with_steps(self, steps: int) -> Self:
        """The policy with another number of steps: the first of its rates, or its last one over and over.

        How far it may move was found for its own number, so that limit is lifted.
        """
        rates = {
            name: torch.cat([rate[:steps], rate[-1:].expand(max(0, steps - len(rate)))])
            for name, rate in self.rates.items()
        }
        return replace(self, inner_steps=steps, rates=rates, longest_move=None)

    def _adapted(self, support: LoggedRounds) -> Parameters | None:
        like = self.parameters["context_weight"]
        batch = self.objective.as_support(pad_tasks(*_one_task(support.to(like.device, like.dtype))))
        leaves = {name: value.detach().requires_grad_() for name, value in self.parameters.items()}
        start = with_task_dimension(leaves, 1)
        adapted = adapt(
            self.objective.loss,
            start,
            batch,
            inner_lr=self.rates or self.inner_lr,
            inner_steps=self.inner_steps,
            create_graph=False,
        )
        if self.longest_move is not None:
            adapted = within_reach(start, adapted, self.longest_move)
        parameters = {name: value[0].detach() for name, value in adapted.items()}
        is_finite = all(bool(torch.isfinite(value).all()) for value in parameters.values())
        return parameters if is_finite else None

    def _thinness(self, support: LoggedRounds) -> str | None:
        if support.n < self.minimum_rounds:
            return f"{support.n} rounds in the support, fewer than the {self.minimum_rounds} needed to adapt."
        like = self.parameters["context_weight"]
        batch = pad_tasks(*_one_task(support.to(like.device, like.dtype)))
        start = with_task_dimension(self.parameters, 1)
        weight = weight_of_logged(start, batch, self.objective.temperature)
        ess = float(effective_sample_size(weight, batch["mask"])[0])
        # Written so that a NaN, from a context that isn't finite, is refused too.
        if not ess >= self.minimum_ess:
            return (
                f"The support's effective sample size is {ess:.1f}, below the {self.minimum_ess:g} needed to "
                "adapt: the log rarely shows what this policy would."
            )
        return None

    @property
    def adapts(self) -> bool:
        """Whether a segment's policy can differ from the zero-shot one."""
        return self.inner_steps > 0

    def upon(self, pooled: Parameters, before: Parameters) -> Self:
        """The same move away from another pooled model."""
        parameters = {
            # What has not moved is the other model exactly, not up to rounding.
            name: torch.where(value == before[name], pooled[name], pooled[name] + (value - before[name]))
            for name, value in self.parameters.items()
        }
        return replace(self, parameters=parameters)

    def numbers(self) -> dict[str, Tensor]:
        """The tensors to store, by name."""
        return {**self.parameters, **{_RATE + name: rate for name, rate in self.rates.items()}}

    def card(self) -> dict[str, Any]:
        """Everything but the tensors and the curve, as JSON can hold it."""
        return {
            "objective": asdict(self.objective),
            "inner_lr": self.inner_lr,
            "inner_steps": self.inner_steps,
            "minimum_rounds": self.minimum_rounds,
            "minimum_ess": self.minimum_ess,
            "longest_move": self.longest_move,
        }

    @classmethod
    def restored(cls, numbers: Mapping[str, Tensor], card: Mapping[str, Any], **shared: Any) -> Self:
        """The policy of these `numbers` and this `card`; shared: the fields that every meta-policy has."""
        objective = SegmentObjective(**card["objective"])
        rates = {name.removeprefix(_RATE): rate for name, rate in numbers.items() if name.startswith(_RATE)}
        parameters = {name: value for name, value in numbers.items() if not name.startswith(_RATE)}
        return cls(parameters=parameters, rates=rates, **{**card, "objective": objective}, **shared)


def _one_task(rounds: LoggedRounds) -> tuple[LoggedRounds, list[Tensor]]:
    return rounds, [rounds.action.new_tensor(range(rounds.n))]
