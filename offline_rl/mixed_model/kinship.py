"""Kinship: how near a candidate is to the items that a user had viewed, by the views of all users.

Correspondence analysis of the table h of users and items, h = log(1 + views), the mean of a user's states:

    S = D_r^(-1/2) (P - r c') D_c^(-1/2),  P = h / sum h,  r and c its margins;  S = U Sigma V'
    g = D_c^(-1/2) V       coordinates of items, [A, R], with mean 0
    f = D_r^(-1) P g       coordinates of users: the mean of their items'

Then P(user, item) / (r c) - 1 is about sum_k f_k g_k: how much more often than popularity lets expect. The R
products f_k g_k are pair features: a handful of coefficients carries from one item to its kin at any catalog
size, where an item's own coefficients for every direction (`factors`) need rounds of every item.

Only views count where there are any: the other acts follow from what was shown. Margins are drawn in by
their mean, or items that few have viewed and users with a short history would lie far out. And
coordinates that a user's own acts helped to make foretell the very clicks that are learned from, the better
the fewer rounds an item has: those that coefficients are fitted with come from the other users (`FOLDS`).
Segments and networks, which are fitted afterwards on the scores of the same rounds, use those of all users.
Source: Greenacre 1984, "Theory and Applications of Correspondence Analysis", sections 4.1 and 4.2.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from offline_rl.mixed_model.factors import leading_directions, log_acts
from offline_rl.user_history import ACTS, UserHistory

DIRECTIONS = 8
"""Most products, R."""

FOLDS = 5
"""Folds of users: the columns of each fold use the coordinates fitted on the others."""

_VIEWS, _ANY = (ACTS.index("views"),), tuple(range(4))


@dataclass(frozen=True, eq=False)
class Kinship:
    """coordinates: g float64 [A, R], R = 0 where no user has done anything. acts: the kinds that count."""

    coordinates: Tensor
    acts: tuple[int, ...]

    @classmethod
    def of(cls, history: UserHistory, user: Tensor, n_items: int, *, seed: int) -> Self:
        """Fit the kinship to the histories of decisions; user int64 [n]: the user of each decision."""
        states = torch.unique(history.state[history.state >= 0])
        entries = history.touches.entries_of(states)[1] if len(states) else states
        is_viewed = bool((history.touches.amount[entries][:, list(_VIEWS)] > 0).any())
        acts = _VIEWS if is_viewed else _ANY
        return cls(_coordinates(history, user, n_items, acts, seed), acts)

    def of_user(self, history: UserHistory) -> Tensor:
        """Return f of each decision, [n, R]; 0 where nothing is known of the user."""
        return _of_user(history, self.coordinates, self.acts)

    def products(self, history: UserHistory, action: Tensor) -> Tensor:
        """Return f_k g_k of each decision and its logged item, [n, R]."""
        return self.of_user(history) * self.coordinates[action]

    def taught(self, history: UserHistory, user: Tensor, action: Tensor, *, seed: int) -> Tensor:
        """Return the same by coordinates that each user has no part in, turned to lie as these do: [n, R]."""
        found = self.coordinates.new_zeros(len(action), self.coordinates.shape[1])
        fold = torch.unique(user, return_inverse=True)[1] % FOLDS
        for number in torch.unique(fold).tolist():
            rows, others = (torch.nonzero((fold == number) == own).flatten() for own in (True, False))
            of_others = _coordinates(
                history.select(others), user[others], len(self.coordinates), self.acts, seed
            )
            turned = Kinship(_turned(of_others, self.coordinates), self.acts)
            found[rows] = turned.products(history.select(rows), action[rows])
        return found


def _coordinates(
    history: UserHistory, user: Tensor, n_items: int, acts: tuple[int, ...], seed: int
) -> Tensor:
    """Return the coordinates g [A, R] of items; R is 0 where no user has done any of the acts."""
    known = history.state >= 0
    # Pairs as one number each, in the order of states: to sort rows of two numbers takes ten times as long.
    n_users = int(user.max()) + 1 if len(user) else 1
    pairs = torch.unique(history.state[known] * n_users + user[known])
    states, users = pairs // n_users, pairs % n_users
    acted = log_acts(history.touches, states, n_items, acts)
    if n_items < 2 or float(acted.values().sum()) <= 0.0:
        return torch.zeros(n_items, 0, dtype=torch.float64, device=history.state.device)
    # A user's states are one row, their mean: every act makes another state.
    _, row, count = torch.unique(users, return_inverse=True, return_counts=True)
    state, item = acted.indices()
    table = _sparse(row[state], item, acted.values() / count[row[state]], (len(count), n_items))
    where, held = table.indices(), table.values()
    rows = held.new_zeros(len(count)).index_add_(0, where[0], held)
    columns = held.new_zeros(n_items).index_add_(0, where[1], held)
    of_state, of_item, total = rows + rows.mean(), columns + columns.mean(), rows.sum()
    scaled = held / (of_state[where[0]] * of_item[where[1]]).sqrt()
    weighted = _sparse(where[0], where[1], scaled, (len(count), n_items))
    expected = (rows / (of_state * total).sqrt(), columns / (of_item * total).sqrt())
    found = leading_directions(weighted, min(DIRECTIONS, n_items - 1), seed, without=expected)
    coordinates = found * (total / of_item).sqrt()[:, None]
    centered: Tensor = coordinates - columns @ coordinates / total
    return centered


def _sparse(row: Tensor, column: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    where = torch.stack([row, column])
    return torch.sparse_coo_tensor(where, values, shape, check_invariants=True).coalesce()


def _of_user(history: UserHistory, coordinates: Tensor, acts: tuple[int, ...]) -> Tensor:
    found = coordinates.new_zeros(len(history.state), coordinates.shape[1])
    states, place = torch.unique(history.state, return_inverse=True)
    known = states >= 0
    if coordinates.shape[1] == 0 or not bool(known.any()):
        return found
    table = log_acts(history.touches, states[known], len(coordinates), acts)
    of_state = found.new_zeros(len(states), coordinates.shape[1])
    of_state[known] = torch.sparse.mm(table, coordinates) / (1.0 + table.sum(1).to_dense())[:, None]
    return of_state[place]


def _turned(coordinates: Tensor, towards: Tensor) -> Tensor:
    """Return the rotation of coordinates [A, R'] that lies nearest to others [A, R] (Schoenemann 1966)."""
    left, _, right = torch.linalg.svd(coordinates.T @ towards, full_matrices=False)
    turned: Tensor = coordinates @ (left @ right)
    return turned
