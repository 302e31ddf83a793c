"""Replay: sessions of the log drawn by how much they surprise, and the correction that keeps means unbiased.

Source: Schaul, Quan, Antonoglou & Silver 2016, "Prioritized Experience Replay", eq. 1 and section 3.4.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.task_batches import Batch, pad_tasks

FLOOR = 0.1
"""Added to each priority, as a share of their mean: every session may be drawn, no correction exceeds 11."""


@dataclass(frozen=True, eq=False)
class Replay:
    """The sessions of a log (its clusters: all rounds of one session or user), and how often each is drawn.

        P(c) = (p_c + floor)^alpha / sum,   p_c = sum of |surprise| over the session's rounds

    order holds the rounds sorted by session; session c is order[first[c] : first[c] + size[c]].
    probability [C] is P. beta is the share of the correction, 1 for unbiased means.
    """

    order: Tensor
    first: Tensor
    size: Tensor
    probability: Tensor
    beta: float

    @classmethod
    def of(cls, cluster: Tensor, surprise: Tensor, *, alpha: float, beta: float = 1.0) -> "Replay":
        """Return the sessions [n rounds] with priorities from each round's surprise [n], such as r - q_hat.

        alpha 0 draws all sessions alike, 1 in proportion to their priority.

        Two sessions of one round each, with surprises 0.9 and 0.1 (mean 0.5, floor 0.05):

        >>> Replay.of(torch.tensor([0, 1]), torch.tensor([0.9, -0.1]), alpha=1.0).probability
        tensor([0.8636, 0.1364], dtype=torch.float64)
        """
        # On the CPU, where sums run in one order.
        sessions, session = torch.unique(cluster.to("cpu"), return_inverse=True)
        size = torch.bincount(session, minlength=len(sessions))
        priority = torch.bincount(session, weights=surprise.abs().to("cpu", torch.float64))
        floor = FLOOR * float(priority.mean()) or 1.0
        drawn = (priority + floor) ** alpha
        return cls(
            order=torch.argsort(session, stable=True),
            first=size.cumsum(0) - size,
            size=size,
            probability=drawn / drawn.sum(),
            beta=beta,
        )

    def sample(
        self,
        rounds: LoggedRounds,
        about: int,
        generator: torch.Generator,
        row_values: dict[str, Tensor] | None = None,
    ) -> Batch:
        """Draw whole sessions, with replacement, of about this many rounds: one task for `pooled_gradient`.

        rounds: those that the sessions were made of; row_values: see `pad_tasks`.
        The mask holds each row's weight, B C / (m n) (1 / (C P(c)))^beta, for m sessions of C with B rounds
        of n in all. Then the mean over the batch, sum_i mask_i l_i / B, has with beta 1 the expectation
        sum_i l_i / n: the mean over the whole log, whatever the priorities.
        """
        expected = float((self.probability * self.size).sum())
        draws = torch.multinomial(
            self.probability, math.ceil(about / expected), replacement=True, generator=generator
        )
        return self.batch_of(rounds, draws, row_values)

    def batch_of(
        self, rounds: LoggedRounds, draws: Tensor, row_values: dict[str, Tensor] | None = None
    ) -> Batch:
        """Return the batch of the sessions in draws [m] (see `sample`)."""
        size = self.size[draws]
        row_draw = torch.repeat_interleave(torch.arange(len(draws)), size)
        offset = torch.arange(len(row_draw)) - (size.cumsum(0) - size)[row_draw]
        rows = self.order[self.first[draws][row_draw] + offset]
        sessions = len(self.size)
        correction = (sessions * self.probability[draws]) ** -self.beta
        weight = correction[row_draw] * (len(rows) * sessions / (len(draws) * len(self.order)))
        batch = pad_tasks(rounds, [rows.to(rounds.action.device)], row_values)
        return {**batch, "mask": weight.to(rounds.reward).unsqueeze(0)}
