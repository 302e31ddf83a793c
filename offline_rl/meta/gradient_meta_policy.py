"""A meta-policy that adapts by gradient steps: two-tower parameters, and how far to move them.

Its scores are those of a mixed model, which is not adapted, plus those of its parameters.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from features.contracts.findings import Finding
from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.adaptation import adapt, within_reach
from offline_rl.meta.meta_policy import CurvePoint
from offline_rl.meta.segment_objective import SegmentObjective, weight_of_logged
from offline_rl.meta.task_batches import Batch, pad_tasks
from offline_rl.mixed_model.model import MixedModel, with_offset
from offline_rl.mixed_model.storage import card_of, numbers_of, restored_model
from offline_rl.objectives import effective_sample_size
from offline_rl.policies.softmax_policy import SoftmaxPolicy
from offline_rl.two_tower import Parameters, with_task_dimension

_RATE, _OFFSET = "rate.", "offset."


@dataclass(frozen=True, eq=False)
class GradientMetaPolicy:
    """Adapts two-tower scores to a segment by inner_steps of gradient descent on its support.

    parameters are without task dimension. inner_steps is 0 for a learner that doesn't adapt, and where
    adaptation was switched off. rates [inner_steps] by tensor: the steps of the tensors that move, learned
    or not; empty where all move by inner_lr. A learned kappa is the objective's shrinkage. longest_move:
    how far |theta_K - theta_0| may be, so that a strange log leads hardly further than validation has seen;
    None sets no limit. offset: the mixed model that the parameters' scores are added to; None for none.
    temperature: at which it is read out, None for that of the objective, by which it adapts.
    The other fields: see `MetaPolicy`.
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
    notes: tuple[Finding, ...] = ()
    rates: Mapping[str, Tensor] = field(default_factory=dict)
    longest_move: float | None = None
    offset: MixedModel | None = None
    temperature: float | None = None

    def zero_shot(self) -> SoftmaxPolicy:
        """Return the policy for a segment without rounds of its own."""
        return self._read_out(self.parameters)

    def adapt(self, support: LoggedRounds) -> SoftmaxPolicy:
        """Return policy for the segment that `support` comes from; zero-shot where `refusal` has a reason.

        The steps and their length are those that meta-training has validated: nothing is tuned here.
        """
        if self.inner_steps == 0 or self._thinness(support) is not None:
            return self.zero_shot()
        parameters = self._adapted(support)
        if parameters is None:
            return self.zero_shot()
        return self._read_out(parameters)

    def refusal(self, support: LoggedRounds) -> str | None:
        """Return why this support isn't adapted to, as a sentence; None if it is.

        A support may be too thin, or so strange that no finite policy comes out of it.
        """
        thinness = self._thinness(support)
        if thinness is not None or self.inner_steps == 0:
            return thinness
        if self._adapted(support) is None:
            return "Adapting to the support leads to numbers that aren't finite: check its rewards."
        return None

    def with_steps(self, steps: int) -> Self:
        """Return policy with another number of steps: the first of its rates, or its last one over and over.

        How far it may move was found for its own number, so that limit is lifted.
        """
        rates = {
            name: torch.cat([rate[:steps], rate[-1:].expand(max(0, steps - len(rate)))])
            for name, rate in self.rates.items()
        }
        return replace(self, inner_steps=steps, rates=rates, longest_move=None)

    def _read_out(self, parameters: Parameters) -> SoftmaxPolicy:
        offset = None if self.offset is None else self.offset.score()
        temperature = self.objective.temperature if self.temperature is None else self.temperature
        return SoftmaxPolicy(self.name, parameters, temperature, offset)

    def _batch(self, support: LoggedRounds) -> Batch:
        """Return the support as one task, with the mixed model's scores as its offset."""
        like = self.parameters["context_weight"]
        rounds = support.to(like.device, like.dtype)
        if self.offset is not None:
            rounds = with_offset(self.offset, rounds)
        return pad_tasks(rounds, [rounds.action.new_tensor(range(rounds.n))])

    def _adapted(self, support: LoggedRounds) -> Parameters | None:
        batch = self.objective.as_support(self._batch(support))
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
        batch = self._batch(support)
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

    def with_pooled_model(self, pooled: Parameters, before: Parameters) -> Self:
        """Return the policy moved by the same difference away from another pooled model."""
        parameters = {
            # What has not moved is the other model exactly, not up to rounding.
            name: torch.where(value == before[name], pooled[name], pooled[name] + (value - before[name]))
            for name, value in self.parameters.items()
        }
        return replace(self, parameters=parameters)

    def numbers(self) -> dict[str, Tensor]:
        """Return the tensors to store, by name."""
        rates = {_RATE + name: rate for name, rate in self.rates.items()}
        of_offset = {} if self.offset is None else numbers_of(self.offset)
        return {**self.parameters, **rates, **{_OFFSET + name: value for name, value in of_offset.items()}}

    def card(self) -> dict[str, Any]:
        """Return the other fields but the curve, in a form that JSON can hold."""
        return {
            "objective": asdict(self.objective),
            "inner_lr": self.inner_lr,
            "inner_steps": self.inner_steps,
            "minimum_rounds": self.minimum_rounds,
            "minimum_ess": self.minimum_ess,
            "longest_move": self.longest_move,
            "temperature": self.temperature,
            "offset": None if self.offset is None else card_of(self.offset),
        }

    @classmethod
    def restored(cls, numbers: Mapping[str, Tensor], card: Mapping[str, Any], **shared: Any) -> Self:
        """Build the policy from its `numbers` and `card`; shared: the fields that every meta-policy has."""
        own = {**card, "objective": SegmentObjective(**card["objective"])}
        if own["offset"] is not None:
            own["offset"] = restored_model(_under(_OFFSET, numbers), own["offset"])
        parameters = {name: value for name, value in numbers.items() if not name.startswith((_RATE, _OFFSET))}
        return cls(parameters=parameters, rates=_under(_RATE, numbers), **own, **shared)


def _under(prefix: str, numbers: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in numbers.items() if name.startswith(prefix)}
