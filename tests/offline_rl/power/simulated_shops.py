"""Logs of a shop with known rates, drawn again and again: users with tastes, whole slates explored."""

from dataclasses import dataclass

import numpy as np

from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds, Floats, Ints
from offline_rl.power.user_growth import UserGrowth, Window


@dataclass(frozen=True)
class Shop:
    """Every user visits once on each day, and sees a slate of L of A items on it.

    Slot l shows item l under today's policy and item L + l under the candidate. A user's rate is drawn from a
    beta distribution with intraclass correlation rho, one for today's items and one for the others.
    """

    users: int = 400
    days: int = 3
    slots: int = 2
    available: int = 5
    rate: float = 0.3
    lift: float = 0.3
    rho: float = 0.1

    @property
    def growth(self) -> UserGrowth:
        """The same users every day: their rounds pile up."""
        lengths = range(1, self.days + 1)
        sizes = [self.slots * days for days in lengths]
        return UserGrowth(
            tuple(
                Window(days, self.users, size, 1 + (size - 1) * self.rho)
                for days, size in zip(lengths, sizes, strict=True)
            )
        )

    def tastes(self, rate: float, rng: np.random.Generator) -> Floats:
        strength = 1 / self.rho - 1
        return rng.beta(rate * strength, (1 - rate) * strength, self.users)

    def explored_log(self, exploration: float, rng: np.random.Generator) -> dict[str, EvaluationRounds]:
        """Return a log of today's policy with a share of uniform slates, as both policies see it."""
        n, L, A = self.users * self.days, self.slots, self.available
        explores = rng.random(n) < exploration
        uniform = rng.permuted(np.tile(np.arange(A), (n, 1)), axis=1)[:, :L]
        items = np.where(explores[:, None], uniform, np.arange(L)).ravel()
        user = np.repeat(np.arange(self.users), self.days * L)
        slot = np.tile(np.arange(L), n)
        is_today = items < L
        of_today, of_others = (self.tastes(rate, rng) for rate in (self.rate, self.rate * (1 + self.lift)))
        reward = (rng.random(n * L) < np.where(is_today, of_today[user], of_others[user])).astype(float)
        propensity = np.where(items == slot, 1 - exploration, 0.0) + exploration / A
        shown = {"today": items == slot, "candidate": items == L + slot}
        return {name: _seen(reward, propensity, chosen, user) for name, chosen in shown.items()}

    def two_arms(self, share: float, rng: np.random.Generator) -> dict[str, EvaluationRounds]:
        """Return the log of an experiment in which each user stays in one arm."""
        user = np.repeat(np.arange(self.users), self.days * self.slots)
        in_candidate = (rng.random(self.users) < share)[user]
        of_today, of_others = (self.tastes(rate, rng) for rate in (self.rate, self.rate * (1 + self.lift)))
        reward = (rng.random(len(user)) < np.where(in_candidate, of_others[user], of_today[user])).astype(
            float
        )
        propensity = np.where(in_candidate, share, 1 - share)
        shown = {"today": ~in_candidate, "candidate": in_candidate}
        return {name: _seen(reward, propensity, chosen, user) for name, chosen in shown.items()}


def _seen(reward: Floats, propensity: Floats, chosen: Floats, user: Ints) -> EvaluationRounds:
    return EvaluationRounds(
        reward=reward,
        propensity=propensity,
        evaluation_prob=chosen.astype(float),
        cluster=user,
        segment=np.zeros(len(user), dtype=int),
    )


def difference(log: dict[str, EvaluationRounds]) -> float:
    """Return the difference of SNIPS, as the project's evaluation has it."""
    values = [float(seen.weight @ seen.reward / seen.weight.sum()) for seen in log.values()]
    return values[1] - values[0]


def shows_gain(log: dict[str, EvaluationRounds], seed: int, resamples: int = 200) -> bool:
    """Return whether the project's own interval of the difference lies above zero."""
    evaluation = evaluate(log, [from_name("snips")], n_resamples=resamples, seed=seed)
    return evaluation.difference("candidate", "today", "snips").lower > 0
