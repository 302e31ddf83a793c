"""The score of an item in a segment: the base score of all segments, moved by the segment's own effects."""

from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl.meta.segment_effects import EffectPosterior
from offline_rl.policies.scored_policy import Score
from offline_rl.user_history import UserHistory

LEAST_SHARE = 0.05
"""Least share of its base that a click rate, or a rate of no click, may fall to: effects are linear in the
reward, and could take a probability below zero."""


def input_columns(context: Tensor, slot: Tensor, n_slots: int) -> Tensor:
    """Return the columns that effects may depend on: context and one per slot, [n, d + n_slots]."""
    one_hot = torch.nn.functional.one_hot(slot.to(context.device), n_slots).to(context.dtype)
    return torch.cat([context, one_hot], dim=-1)


def with_intercept(inputs: Tensor, chosen: tuple[int, ...]) -> Tensor:
    """Return x [n, k]: a one, and the chosen columns of `input_columns`."""
    return torch.cat([torch.ones_like(inputs[:, :1]), inputs[:, list(chosen)]], dim=-1)


def moved(score: Tensor, effect: Tensor, *, is_binary: bool) -> Tensor:
    """Return the score of a reward whose mean has moved by w * effect, w = d mean / d score.

    0/1 rewards: the log-odds of q + q (1 - q) u, without ever forming them from a rounded q:

        score + log(1 + (1 - q) u) - log(1 - q u)

    q = 1/2, u = 1: the probability rises from 1/2 by 1/4 to 3/4, with log-odds log 3.

    >>> moved(torch.zeros(1), torch.ones(1), is_binary=True)
    tensor([1.0986])
    """
    if not is_binary:
        return score + effect
    mean = torch.sigmoid(score)
    succeeds = (1.0 + torch.sigmoid(-score) * effect).clamp_min(LEAST_SHARE)
    fails = (1.0 - mean * effect).clamp_min(LEAST_SHARE)
    return score + succeeds.log() - fails.log()


@dataclass(frozen=True, eq=False)
class EffectsScore:
    """score(x, slot, a) of one segment: the base score moved by x' coefficients_a - caution * deviation.

    coefficients [A, k]; chosen: the input columns beside the intercept. deviation is the posterior's
    standard deviation sqrt(shared_variance_a (1 + x' pull_a)^2 + x' own_a x), with caution 0 never computed.
    """

    base: Score
    n_slots: int
    chosen: tuple[int, ...]
    is_binary: bool
    coefficients: Tensor
    caution: float
    shared_variance: Tensor
    pull: Tensor
    own: Tensor

    def __call__(
        self, context: Tensor, slot: Tensor, item_features: Tensor, history: UserHistory | None = None
    ) -> Tensor:
        """Return the scores [n, A], on the base score's device."""
        score = self.base(context, slot, item_features, history)
        columns = with_intercept(input_columns(context, slot, self.n_slots), self.chosen).to(score)
        effect = columns @ self.coefficients.to(score).T
        if self.caution:
            own = torch.einsum("nk,akl,nl->na", columns, self.own.to(score), columns)
            shared = self.shared_variance.to(score) * (1.0 + columns @ self.pull.to(score).T).square()
            effect = effect - self.caution * (own + shared).clamp_min(0.0).sqrt()
        return moved(score, effect, is_binary=self.is_binary)


def effects_score(
    base: Score,
    posterior: EffectPosterior,
    *,
    n_slots: int,
    chosen: tuple[int, ...],
    is_binary: bool,
    caution: float = 0.0,
) -> EffectsScore:
    """Return the score of the posterior's only segment."""
    deviation = posterior.prior.action.sqrt()
    return EffectsScore(
        base=base,
        n_slots=n_slots,
        chosen=chosen,
        is_binary=is_binary,
        coefficients=posterior.coefficients()[0],
        caution=caution,
        shared_variance=posterior.shared_variance_on_items()[0],
        pull=posterior.pull[0] * deviation,
        own=posterior.own_covariance[0] * (deviation.unsqueeze(-1) * deviation),
    )
