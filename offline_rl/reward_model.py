"""Reward model q_hat(x, slot, item): the expected reward of every item, pooled over segments.

It serves as q_hat of the direct method and of doubly robust evaluation, as the start of the policies that are
learned from it, and, read out as a policy, as the plain baseline that learners must beat.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from offline_rl import two_tower
from offline_rl.logged_data import LoggedRounds
from offline_rl.two_tower import Parameters, with_task_dimension

PENALTIES = (10.0, 30.0, 100.0, 300.0, 1000.0, 10000.0)
"""Prior precisions tried, weakest first. A weight has prior deviation 1 / sqrt(penalty) on the score's
scale: 0.32, 0.18, 0.1, 0.06, 0.03, 0.01. The last one is nearly a constant model, the right one for
a log with 40 clicks in 10,000 rounds, in which no item differs from another beyond chance."""

UNPENALIZED = "level"
"""Name of the intercept, which is not penalized: so fitted rewards add up to the logged ones."""

# Rows scored at a time by `predict`: bounds its memory to about 100 MB for 160 items.
_CHUNK = 65536


@dataclass(frozen=True, eq=False)
class RewardModel:
    """q_hat(x, slot, item) = sigmoid(score) for 0/1 rewards, reward_scale * score for others.

    parameters: `two_tower` tensors, without task dimension. penalty: the prior precision it was fitted with.
    """

    parameters: Parameters
    is_binary: bool
    reward_scale: float
    penalty: float

    @property
    def hidden(self) -> int:
        """Width of both towers."""
        return len(self.parameters["context_bias"])

    def predict(
        self, context: Tensor, slot: Tensor, item_features: Tensor, offset: Tensor | None = None
    ) -> Tensor:
        """Return expected reward of every item: [n, A] for context [n, d], slot [n], item_features [A, f].

        offset [n, A]: scores to add the model's own to, as in the rounds that it was fitted on.
        """
        like = self.parameters["context_weight"]
        parameters = with_task_dimension(self.parameters, 1)
        context, slot, items = context.to(like), slot.to(like.device), item_features.to(like)
        with torch.no_grad():
            scores = [
                two_tower.all_scores(parameters, context[rows].unsqueeze(0), slot[rows].unsqueeze(0), items)[
                    0
                ]
                for rows in torch.arange(len(slot), device=slot.device).tensor_split(len(slot) // _CHUNK + 1)
            ]
        stacked = torch.cat(scores)
        if offset is not None:
            stacked = stacked + offset.to(stacked)
        return torch.sigmoid(stacked) if self.is_binary else stacked * self.reward_scale

    def expected_rewards(self, rounds: LoggedRounds) -> Tensor:
        """Return the expected reward of every item in each round, [n, A], on the rounds' offset if any."""
        return self.predict(rounds.context, rounds.slot, rounds.item_features, rounds.offset)


def negative_log_likelihood(score: Tensor, reward: Tensor, *, is_binary: bool) -> Tensor:
    """Return the negative log-likelihood of each reward under its score, up to a constant; of the same shape.

    Binary rewards: cross-entropy with q = sigmoid(score). Others: (score - r)^2 / 2.

    >>> negative_log_likelihood(torch.zeros(2), torch.tensor([0.0, 1.0]), is_binary=True)
    tensor([0.6931, 0.6931])
    """
    if is_binary:
        return torch.nn.functional.softplus(score) - reward * score
    return 0.5 * (score - reward) ** 2


def has_binary_rewards(reward: Tensor) -> bool:
    """Return whether all rewards are 0 or 1, so that they are modeled as probabilities."""
    return bool(((reward == 0) | (reward == 1)).all())


def fit_reward_model(
    rounds: LoggedRounds,
    *,
    hidden: int = 16,
    penalties: Sequence[float] = PENALTIES,
    held_out_share: float = 0.3,
    seed: int = 0,
) -> RewardModel:
    """Fit q_hat by penalized maximum likelihood, with the penalty chosen on held-out clusters.

        minimize  sum_i NLL(score_i, r_i) + penalty / 2 * |weights|^2      (L-BFGS, all rows at once)

    Each penalty is fitted on the clusters that aren't held out, from the weakest on, each starting where the
    last one ended. Chosen is the strongest one whose held-out likelihood is within one paired standard error
    of the best (the one-standard-error rule of Breiman et al. 1984): of models that the data can't
    distinguish, the flattest. It is then fitted again on all rows. With a single penalty nothing is held
    out. Scores are added to the rounds' offset where they have one, so only the rest is fitted.

    Raises ValueError if there are no rounds.
    """
    if rounds.n == 0:
        raise ValueError("A reward model can't be fitted on no rounds: give it the rounds of some segment.")
    exact = rounds.to(rounds.context.device, torch.float64)
    is_binary = has_binary_rewards(exact.reward)
    scale = 1.0 if is_binary or exact.n == 1 else float(exact.reward.std()) or 1.0
    exact = replace(exact, reward=exact.reward / scale)
    generator = torch.Generator().manual_seed(seed)
    start = _start(exact, is_binary, hidden, generator)
    if len(penalties) == 1:
        penalty, warm = penalties[0], start
    else:
        held_out = _held_out_rows(exact.cluster, held_out_share, generator)
        penalty, warm = _choose_penalty(exact, held_out, start, penalties, is_binary)
    fitted = _minimize(exact, warm, penalty, is_binary)
    return RewardModel(
        parameters={name: value.to(torch.float32) for name, value in fitted.items()},
        is_binary=is_binary,
        reward_scale=scale,
        penalty=penalty,
    )


def refit_reward_model(model: RewardModel, rounds: LoggedRounds, *, seed: int = 0) -> RewardModel:
    """Return the same model fitted on other rounds: its width, its penalty and the units of its scores stay.

    Raises ValueError if there are no rounds, or other rewards than 0 and 1 for a model of probabilities.
    """
    if rounds.n == 0:
        raise ValueError("A reward model can't be fitted on no rounds: give it the rounds of some segment.")
    if model.is_binary and not has_binary_rewards(rounds.reward):
        raise ValueError("A model of probabilities can't be fitted on rewards other than 0 and 1.")
    exact = rounds.to(rounds.context.device, torch.float64)
    exact = replace(exact, reward=exact.reward / model.reward_scale)
    start = _start(exact, model.is_binary, model.hidden, torch.Generator().manual_seed(seed))
    fitted = _minimize(exact, start, model.penalty, model.is_binary)
    return replace(model, parameters={name: value.to(torch.float32) for name, value in fitted.items()})


def _start(
    rounds: LoggedRounds, is_binary: bool, hidden: int, generator: torch.Generator
) -> dict[str, Tensor]:
    """Return random towers around the constant model."""
    parameters = random_towers(rounds, hidden, generator)
    if rounds.offset is None:
        parameters["level"] += _level_of(rounds.reward, is_binary)
    return parameters


def random_towers(rounds: LoggedRounds, hidden: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Draw starting values of a network for these rounds, in the dtype and on the device of their context."""
    parameters = two_tower.init_parameters(
        rounds.context.shape[1],
        rounds.n_slots,
        rounds.n_actions,
        rounds.item_features.shape[1],
        hidden=hidden,
        generator=generator,
        dtype=rounds.context.dtype,
    )
    return {name: value.to(rounds.context.device) for name, value in parameters.items()}


def _level_of(reward: Tensor, is_binary: bool) -> float:
    mean, n = float(reward.mean()), len(reward)
    if not is_binary:
        return mean
    # Half a success and half a failure more, or the level of a log without clicks would be -inf.
    share = (mean * n + 0.5) / (n + 1.0)
    return math.log(share / (1.0 - share))


def _held_out_rows(cluster: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Hold out whole clusters: rounds of one user on both sides would make overfitting look like skill."""
    _, position = torch.unique(cluster, return_inverse=True)
    drawn = torch.rand(int(position.max()) + 1, generator=generator).to(cluster.device)
    return (drawn < share)[position]


def _choose_penalty(
    rounds: LoggedRounds,
    held_out: Tensor,
    start: dict[str, Tensor],
    penalties: Sequence[float],
    is_binary: bool,
) -> tuple[float, dict[str, Tensor]]:
    """Return the penalty of the one-standard-error rule, and its parameters on the fitted part."""
    fitted_on, judged_on = rounds.select(~held_out), rounds.select(held_out)
    if fitted_on.n == 0 or judged_on.n < 2:
        return max(penalties), start
    costs, fits, parameters = [], [], start
    for penalty in sorted(penalties):
        parameters = _minimize(fitted_on, parameters, penalty, is_binary)
        costs.append(_row_costs(judged_on, parameters, is_binary))
        fits.append((penalty, parameters))
    best = min(costs, key=lambda cost: float(cost.mean()))
    for cost, fit in zip(reversed(costs), reversed(fits), strict=True):
        excess = cost - best
        if float(excess.mean()) <= float(excess.std()) / math.sqrt(judged_on.n):
            return fit
    raise AssertionError("The best penalty is within one standard error of itself.")


def _minimize(
    rounds: LoggedRounds, start: dict[str, Tensor], penalty: float, is_binary: bool
) -> dict[str, Tensor]:
    parameters = {name: value.detach().clone().requires_grad_() for name, value in start.items()}
    optimizer = torch.optim.LBFGS(
        list(parameters.values()),
        max_iter=80,
        tolerance_grad=1e-7,
        tolerance_change=1e-9,
        history_size=10,
        line_search_fn="strong_wolfe",
    )

    def objective() -> Tensor:
        optimizer.zero_grad()
        squares = sum(value.square().sum() for name, value in parameters.items() if name != UNPENALIZED)
        cost = _row_costs(rounds, parameters, is_binary).mean() + 0.5 * penalty / rounds.n * squares
        cost.backward()  # type: ignore[no-untyped-call]
        return cost

    optimizer.step(objective)  # type: ignore[no-untyped-call]
    return {name: value.detach() for name, value in parameters.items()}


def _row_costs(rounds: LoggedRounds, parameters: Parameters, is_binary: bool) -> Tensor:
    score = two_tower.logged_scores(
        with_task_dimension(parameters, 1),
        rounds.context.unsqueeze(0),
        rounds.slot.unsqueeze(0),
        rounds.item_features,
        rounds.action.unsqueeze(0),
    )[0]
    if rounds.offset is not None:
        score = score + rounds.offset.gather(1, rounds.action[:, None])[:, 0]
    return negative_log_likelihood(score, rounds.reward, is_binary=is_binary)
