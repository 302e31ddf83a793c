"""Short sessions: what a step brings later on becomes the reward of the step, so the learners stay the same.

An item put in the cart earns nothing until the offer beside the cart is taken.  A learner that is paid by the
step never finds it; one that is paid the logged rest of the session finds what was good in front of the
logging policy, which may have wasted it.  Here the rest of the session is weighted, decision by decision, to
what it would have brought under a better policy.
"""

from dataclasses import replace

import torch
from torch import Tensor

from offline_rl.logged_data import LoggedRounds, Tasks
from offline_rl.meta.cross_fitting import held_out_folds
from offline_rl.meta.learner import LearningSettings
from offline_rl.meta.warm_start import WarmStart, warm_start
from offline_rl.objectives import weights_of
from offline_rl.policies.softmax_policy import SoftmaxPolicy
from offline_rl.reward_model import RewardModel

_CHUNK = 65536
"""Rounds whose probabilities are taken at a time: about 100 MB for 160 items."""


def per_decision_returns(
    reward: Tensor, following: Tensor, weight: Tensor, q: Tensor, v: Tensor, *, discount: float
) -> Tensor:
    """What each step brings from itself to the end of its session, if later steps were decided otherwise.

        G_t = r_t + discount * [v_{t+1} + w_{t+1} (G_{t+1} - q_{t+1})],   G = r at the last step

    All [n], one row a step.  following: the row of the session's next step, or -1.
    weight: w = pi / propensity of the logged action; q: modeled rest of the session from the step on, of its
    logged action; v = sum_a pi(a) q(a).  A reward is weighted by the decisions between the step and itself
    alone.  With q = v = 0 these are the per-decision returns of Precup, Sutton & Singh 2000, eq. 4, unbiased
    for the value of a step's action if pi decides after it; q takes noise out and adds no bias (Jiang & Li
    2016, eq. 10).  With weight 1 as well they are the logged returns.

    Two steps, the second rewarded 1, with w = 2, discount 0.9: the first brings 0.9 * 2; and with q = 0.5
    and v = 0.8, 0.9 * (0.8 + 2 * 0.5).

    >>> zero = torch.zeros(2)
    >>> steps = {"reward": torch.tensor([0.0, 1.0]), "following": torch.tensor([1, -1])}
    >>> steps["weight"] = torch.tensor([1.0, 2.0])
    >>> per_decision_returns(**steps, q=zero, v=zero, discount=0.9)
    tensor([1.8000, 1.0000])
    >>> per_decision_returns(**steps, q=zero + 0.5, v=zero + 0.8, discount=0.9)
    tensor([1.6200, 1.0000])
    """
    has_next, later = following >= 0, following.clamp_min(0)
    total = reward
    # Each pass settles the returns of one step more, from the sessions' ends.
    for _ in range(len(reward)):
        rest = v[later] + weight[later] * (total[later] - q[later])
        settled = torch.where(has_next, reward + discount * rest, reward)
        if torch.equal(settled, total):
            break
        total = settled
    return total


def following_steps(tasks: Tasks, session: Tensor, step: Tensor) -> Tensor:
    """The row of each round's next step in its session, or -1: [n].

    session [n]: which session a round belongs to; step [n]: 0, 1, 2, ... within it.  A session is cut where
    it leaves its segment or its time window, so that no support round knows what a query round earned.
    Raises ValueError if a session's steps are not one round each, from 0 on without a gap.
    """
    n = tasks.rounds.n
    if session.shape != (n,) or step.shape != (n,):
        raise ValueError(
            f"session and step need one entry for each of the {n} rounds, not {tuple(session.shape)} and "
            f"{tuple(step.shape)}."
        )
    by_step = torch.argsort(step, stable=True)
    order = by_step[torch.argsort(session[by_step], stable=True)]
    same = session[order][1:] == session[order][:-1]
    first = torch.cat([same.new_ones(min(n, 1)), ~same])
    expected = torch.where(first, 0, torch.cat([step.new_zeros(min(n, 1)), step[order][:-1] + 1]))
    wrong = torch.nonzero(step[order] != expected).flatten()
    if len(wrong):
        row = int(order[wrong[0]])
        raise ValueError(
            f"Row {row} is step {int(step[row])} of session {int(session[row])}, where step "
            f"{int(expected[wrong[0]])} was expected: give each step of a session one round, counted from 0."
        )
    here, there = order[:-1], order[1:]
    together = same & (tasks.window_code[here] == tasks.window_code[there])
    together &= tasks.rounds.segment[here] == tasks.rounds.segment[there]
    following = torch.full((n,), -1, dtype=torch.int64, device=session.device)
    following[here[together]] = there[together]
    return following


def session_tasks(
    tasks: Tasks,
    session: Tensor,
    step: Tensor,
    settings: LearningSettings,
    seed: int,
    *,
    discount: float = 1.0,
) -> Tasks:
    """The same tasks, each round rewarded by what it brings to the end of its session.

    First the logged returns are modeled; the read-out of that model is a policy better than the logging one,
    and the returns are weighted to it (`per_decision_returns`, weights clipped at settings.clip).  What is
    learned from them is the best step in front of that policy: two steps of policy iteration, enough for
    sessions of a few steps.  Rounds are weighted by models that haven't seen their segment.

    session, step: see `following_steps`.  A log whose sessions are all of one round comes back as it is.
    Raises InputDataError if there are no rounds to learn from, ValueError for steps out of order.
    """
    following = following_steps(tasks, session, step)
    rounds = tasks.rounds
    if not bool((following >= 0).any()):
        return tasks
    zero = torch.zeros_like(rounds.reward)
    logged = per_decision_returns(
        rounds.reward, following, torch.ones_like(zero), zero, zero, discount=discount
    )
    start = warm_start(_rewarded(tasks, logged), settings.hidden, seed)
    weight, q, v = _under_the_better_policy(rounds, start, seed)
    returns = per_decision_returns(
        rounds.reward, following, weight.clamp_max(settings.clip), q, v, discount=discount
    )
    return _rewarded(tasks, returns)


def _rewarded(tasks: Tasks, reward: Tensor) -> Tasks:
    return replace(tasks, rounds=replace(tasks.rounds, reward=reward))


def _under_the_better_policy(
    rounds: LoggedRounds, start: WarmStart, seed: int
) -> tuple[Tensor, Tensor, Tensor]:
    """w, q and v of every round, by a model of the folds that its segment is not in; [n] each."""
    found = [torch.zeros_like(rounds.reward) for _ in range(3)]
    unseen = torch.ones_like(rounds.segment, dtype=torch.bool)
    models: list[tuple[Tensor, RewardModel]] = []
    for held_out, model in held_out_folds(start.training, start.model, seed=seed):
        theirs = torch.isin(rounds.segment, start.training.segment[held_out].to(rounds.segment))
        models.append((theirs, model))
        unseen &= ~theirs
    for rows, model in [*models, (unseen, start.model)]:
        found_rows = torch.nonzero(rows).flatten()
        for chunk in found_rows.tensor_split(len(found_rows) // _CHUNK + 1):
            told = _of_rounds(rounds.select(chunk), model, start.temperature)
            for column, values in zip(found, told, strict=True):
                column[chunk] = values.to(column)
    return found[0], found[1], found[2]


def _of_rounds(rounds: LoggedRounds, model: RewardModel, temperature: float) -> tuple[Tensor, Tensor, Tensor]:
    policy = SoftmaxPolicy("pooled", model.parameters, temperature)
    probabilities = policy.action_probabilities(
        rounds.context, rounds.slot, rounds.item_features, rounds.availability(), rounds.history
    )
    expected = model.expected_rewards(rounds).to(probabilities)
    logged = rounds.action.to(probabilities.device).unsqueeze(-1)
    chosen = probabilities.gather(-1, logged).squeeze(-1)
    weight = weights_of(chosen.log(), rounds.propensity.to(chosen))
    return weight, expected.gather(-1, logged).squeeze(-1), (probabilities * expected).sum(-1)
