"""Serving: what a policy does with a whole surface, as probabilities that can be evaluated and logged.

A policy scores one slot at a time. What a visitor sees is a slate without repeats, now and then a random one,
so the probability of an item in a slot is not what the policy says of that slot alone but its marginal over
slates (`exploration`, `plackett_luce`). The evaluation uses these marginals, and tomorrow's table records
them: the policy that is evaluated is the one that is served.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.adapt_together import adapted_to_each
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.ope.records import EvaluationRounds
from offline_rl.policies.exploration import explored_marginals
from offline_rl.policies.policy import Policy
from offline_rl.policies.shares import shares
from offline_rl.shapes import check_by_action
from offline_rl.user_history import UserHistory

# Contexts in one block: bounds memory at about 100 MB for 3 slots and 500 items.
_CONTEXTS_AT_ONCE = 8192

# Share of the work above which candidate sets are not handled one by one.
_WORTH_PARTING = 0.5


@dataclass(frozen=True)
class SegmentPolicies:
    """One policy per segment and one for all others.

    exploration: share of uniform slates.
    fills_slates: False for a policy whose slot probabilities are marginals already, like a log's own record.
    """

    name: str
    by_segment: Mapping[int, Policy]
    otherwise: Policy
    exploration: float = 0.0
    fills_slates: bool = True

    @classmethod
    def adapted(cls, policy: MetaPolicy, rounds: LoggedRounds, exploration: float) -> Self:
        """Adapt a learned policy to every segment that has rounds here, and let it explore."""
        return cls(policy.name, adapted_to_each(policy, rounds), policy.zero_shot(), exploration)

    def slot_logits(
        self,
        context: Tensor,
        segment: Tensor,
        available: Tensor,
        item_features: Tensor,
        n_slots: int,
        *,
        history: UserHistory | None = None,
    ) -> Tensor:
        """Return the logits of each slot as if it were filled first, float64 [n, L, A].

        They are logs of probabilities up to a constant of each slot, minus infinity where not available: a
        greedy policy's second choice may have no probability that a float can hold, and fills slot 2.

        context [n, d], segment int64 [n], available bool [n, A], item_features [A, f]; history: of the n
        users, None where no log has it.
        """
        n, n_items = available.shape
        logits = torch.full((n, n_slots, n_items), -torch.inf, dtype=torch.float64)
        for member in torch.unique(segment).tolist():
            rows = torch.nonzero(segment == member).flatten()
            policy = self.by_segment.get(member, self.otherwise)
            # All slots in one call: what a policy finds out of a user's history holds for each of them.
            slots = torch.arange(n_slots, device=rows.device)
            visits, slot = rows.repeat(n_slots), slots.repeat_interleave(len(rows))
            of_users = history.select(visits) if history is not None else None
            with torch.no_grad():
                of_slots = policy.action_logits(
                    context[visits], slot, item_features, available[visits], of_users
                )
            logits[visits, slot] = of_slots.cpu()
        return logits


def served_probabilities(policies: SegmentPolicies, rounds: LoggedRounds) -> Tensor:
    """Return the probability of every item in the slot of each logged round, float64 [n, A].

    The slots of one visit, which stand one after another in a log, go together: what is computed for one of
    them holds for all.
    """
    served = torch.zeros(rounds.n, rounds.n_actions, dtype=torch.float64)
    for items, together in _catalogs(rounds, is_filled=policies.fills_slates):
        for start in range(0, len(together), _CONTEXTS_AT_ONCE):
            rows = together[start : start + _CONTEXTS_AT_ONCE]
            block, moment_of = _moments(rounds.select(rows))
            available = block.availability()
            logits = policies.slot_logits(
                block.context,
                block.segment,
                available,
                block.item_features,
                block.n_slots,
                history=block.history,
            )[:, :, items]
            if policies.fills_slates:
                exploration = torch.full((block.n,), policies.exploration, dtype=torch.float64)
                marginals = explored_marginals(logits, available[:, items], exploration)
            else:
                marginals = shares(logits)
            served[rows[:, None], items] = marginals[moment_of, rounds.slot[rows]]
    return served


def _catalogs(rounds: LoggedRounds, *, is_filled: bool) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield groups of rounds, each with the items that are its candidates.

    That is by candidate set where slates are filled and sets are small parts of the catalog: the work of a
    slot marginal grows with the square of the items.
    """
    present = torch.unique(rounds.set_index).tolist()
    is_large = rounds.available[present].double().mean(-1).square() > _WORTH_PARTING
    if rounds.n_slots == 1 or not is_filled or bool(is_large.all()):
        yield torch.arange(rounds.n_actions), torch.arange(rounds.n)
        return
    for member in present:
        is_member = rounds.set_index == member
        yield torch.nonzero(rounds.available[member]).flatten(), torch.nonzero(is_member).flatten()


def _moments(rounds: LoggedRounds) -> tuple[LoggedRounds, Tensor]:
    """Return the first round of each run of the same visit, and each round's place in them.

    A visit shows in equal contexts, segments, sets and, where they are known, states of the user.
    """
    context, segment, set_index = rounds.context, rounds.segment, rounds.set_index
    differs = (
        (context[1:] != context[:-1]).any(-1)
        | (segment[1:] != segment[:-1])
        | (set_index[1:] != set_index[:-1])
    )
    if rounds.history is not None:
        differs |= rounds.history.state[1:] != rounds.history.state[:-1]
    is_first = torch.cat([differs.new_ones(1), differs])
    return rounds.select(is_first), is_first.cumsum(0) - 1


def evaluation_rounds(rounds: LoggedRounds, probabilities: Tensor, q_hat: Tensor) -> EvaluationRounds:
    """Return logged rounds as the evaluation sees a policy that shows items with `probabilities` [n, A].

    q_hat: [n, A], a reward model that was not fitted on these rounds.
    """
    check_by_action("the rounds", rounds.action, probabilities=probabilities, q_hat=q_hat)
    logged = rounds.action.unsqueeze(-1)
    return EvaluationRounds(
        **_log_columns(rounds),
        evaluation_prob=probabilities.gather(-1, logged).squeeze(-1).numpy(),
        q_logged=q_hat.gather(-1, logged).squeeze(-1).numpy(),
        q_policy=(probabilities * q_hat).sum(-1).numpy(),
    )


def logged_as_is(rounds: LoggedRounds, q_hat: Tensor) -> EvaluationRounds:
    """Return logged rounds as the evaluation sees the logging policy itself: every weight is 1."""
    check_by_action("the rounds", rounds.action, q_hat=q_hat)
    q_logged = q_hat.gather(-1, rounds.action.unsqueeze(-1)).squeeze(-1).numpy()
    return EvaluationRounds.of_logging_policy(**_log_columns(rounds), q_logged=q_logged)


def _log_columns(rounds: LoggedRounds) -> dict[str, Any]:
    return {
        "reward": rounds.reward.double().numpy(),
        "propensity": rounds.propensity.numpy(),
        "cluster": rounds.cluster.numpy(),
        "segment": rounds.segment.numpy(),
    }
