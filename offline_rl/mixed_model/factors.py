"""History factors: a user's history with all items, as a few columns.

With h_j = log(1 + acts on item j) the columns are h'V. Up to `MOST` items V is the identity, and an item's
coefficients say how interest in each item moves its clicks; beyond, V holds the leading right singular
vectors of the histories, the directions in which users differ most. A normal prior is blind to rotations,
so between the two nothing changes but what is left out.
Source: Halko, Martinsson & Tropp 2011, algorithm 4.4 (randomized subspace iteration).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from offline_rl.user_history import Touches, UserHistory

MOST = 32
"""Most history factors, R."""

_PASSES, _SPARE = 4, 8


def history_basis(history: UserHistory, n_items: int, *, seed: int) -> Tensor:
    """Return V float64 [A, R], scaled so that the columns' variances over the decisions add up to 4.

    R is 0 where no user has a history.
    """
    states, count = torch.unique(history.state[history.state >= 0], return_counts=True)
    if len(states) == 0:
        return torch.zeros(n_items, 0, dtype=torch.float64, device=history.state.device)
    table = log_acts(history.touches, states, n_items)
    basis = torch.eye(n_items, dtype=torch.float64, device=table.device)
    if n_items > MOST:
        basis = leading_directions(table, MOST, seed)
    columns = torch.sparse.mm(table, basis)
    share = count.double() / len(history.state)
    mean = share @ columns
    total = float((share @ columns.square() - mean.square()).sum())
    return basis * (2.0 / total**0.5) if total > 1e-12 else basis[:, :0]


def history_columns(history: UserHistory, basis: Tensor) -> Tensor:
    """Return h'V of each decision, [n, R]; 0 where nothing is known of the user."""
    columns = basis.new_zeros(len(history.state), basis.shape[1])
    states, place = torch.unique(history.state, return_inverse=True)
    known = states >= 0
    if basis.shape[1] == 0 or not bool(known.any()):
        return columns
    of_state = columns.new_zeros(len(states), basis.shape[1])
    of_state[known] = torch.sparse.mm(log_acts(history.touches, states[known], len(basis)), basis)
    return of_state[place]


def log_acts(touches: Touches, states: Tensor, n_items: int, kinds: Sequence[int] = (0, 1, 2, 3)) -> Tensor:
    """Return log(1 + acts) of each state and item, sparse float64 [len(states), A].

    kinds: the columns of `Touches.amount` that are summed, by default every kind of act.
    """
    row, entry = touches.entries_of(states)
    acts = touches.amount[entry][:, list(kinds)].double().sum(1).log1p()
    where = torch.stack([row, touches.item[entry]])
    return torch.sparse_coo_tensor(where, acts, (len(states), n_items), check_invariants=True).coalesce()


def leading_directions(
    table: Tensor, most: int, seed: int, *, without: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """Return the right singular vectors [A, most] of the largest singular values of a sparse table [S, A].

    without: vectors u [S] and v [A] whose product u v' is taken off the table first.
    """
    if without is None:
        without = table.new_zeros(table.shape[0]), table.new_zeros(table.shape[1])
    u, v = (vector[:, None] for vector in without)
    transposed = table.t().coalesce()

    def times(directions: Tensor) -> Tensor:
        return torch.addmm(torch.sparse.mm(table, directions), u, v.T @ directions, alpha=-1.0)

    def back(rows: Tensor) -> Tensor:
        return torch.addmm(torch.sparse.mm(transposed, rows), v, u.T @ rows, alpha=-1.0)

    generator = torch.Generator().manual_seed(seed)
    width = min(most + _SPARE, table.shape[1])
    found = torch.randn(table.shape[1], width, generator=generator, dtype=torch.float64).to(table.device)
    for _ in range(_PASSES):
        found, _ = torch.linalg.qr(back(times(found)))
    _, _, right = torch.linalg.svd(times(found), full_matrices=False)
    leading: Tensor = (found @ right.T)[:, :most]
    return leading
