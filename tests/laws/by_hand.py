"""Logs that are small enough to work out on paper."""

import torch

from offline_rl.logged_data import LoggedRounds


def rounds_by_hand(
    action: list[int],
    reward: list[float],
    *,
    segment: list[int] | None = None,
    context: torch.Tensor | None = None,
    slot: list[int] | None = None,
    item_features: torch.Tensor | None = None,
    n_slots: int = 1,
) -> LoggedRounds:
    """Rounds in which every item could be shown; what isn't given is one segment, one slot, no context."""
    n = len(action)
    features = torch.zeros(max(action) + 1, 0) if item_features is None else item_features
    return LoggedRounds(
        context=torch.zeros(n, 0) if context is None else context,
        slot=torch.tensor(slot or [0] * n),
        action=torch.tensor(action),
        reward=torch.tensor(reward, dtype=torch.float64),
        propensity=torch.full((n,), 1.0 / len(features), dtype=torch.float64),
        set_index=torch.zeros(n, dtype=torch.int64),
        available=torch.ones(1, len(features), dtype=torch.bool),
        segment=torch.tensor(segment or [0] * n),
        cluster=torch.arange(n),
        item_features=features,
        n_slots=n_slots,
    )
