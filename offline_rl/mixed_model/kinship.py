"""Kinship: how near a candidate is to what a user had looked at, by who looked at what.

Correspondence analysis of the table h of users and items, h = log(1 + views):

    S = D_r^(-1/2) (P - r c') D_c^(-1/2),  P = h / sum h,  r and c its margins;  S = U Sigma V'
    g = D_c^(-1/2) V       coordinates of items, [A, R], with mean 0
    f = D_r^(-1) P g       coordinates of users: the mean of their items'

Then P(user, item) / (r c) - 1 is about sum_k f_k g_k: how much more often than popularity lets expect.  The R
products f_k g_k are pair features: a handful of coefficients carries from one item to its kin at any catalog
size, where an item's own coefficients for every direction (`factors`) need rounds of every item.

Only views count where there are any: the other acts follow from what was shown.  Margins are drawn in by
their mean, or items that few have looked at and users with a short history would lie far out.  And
coordinates that a user's own acts helped to make foretell the very clicks that are learned from, the better
the fewer rounds an item has: those that a model is fitted with come from the other half of the users.
Source: Greenacre 1984, "Theory and Applications of Correspondence Analysis", sections 4.1 and 4.2.
"""

import torch
from torch import Tensor

from offline_rl.mixed_model.factors import leading_directions, log_acts
from offline_rl.user_history import ACTS, UserHistory

DIRECTIONS = 8
"""Products at most, R."""

_VIEWS, _ANY = (ACTS.index("views"),), tuple(range(4))


def item_coordinates(history: UserHistory, n_items: int, *, seed: int) -> Tensor:
    """g float64 [A, R]; R is 0 where nobody has a history."""
    states = torch.unique(history.state[history.state >= 0])
    if len(states) == 0 or n_items < 2:
        return torch.zeros(n_items, 0, dtype=torch.float64, device=history.state.device)
    table = log_acts(history.touches, states, n_items, _kinds_of_acts(history))
    rows, columns = table.sum(1).to_dense(), table.sum(0).to_dense()
    of_state, of_item, total = rows + rows.mean(), columns + columns.mean(), rows.sum()
    where, held = table.indices(), table.values()
    scaled = held / (of_state[where[0]] * of_item[where[1]]).sqrt()
    weighted = torch.sparse_coo_tensor(where, scaled, table.shape, check_invariants=True).coalesce()
    expected = (rows / (of_state * total).sqrt(), columns / (of_item * total).sqrt())
    found = leading_directions(weighted, min(DIRECTIONS, n_items - 1), seed, without=expected)
    coordinates = found * (total / of_item).sqrt()[:, None]
    return coordinates - columns @ coordinates / total


def user_coordinates(history: UserHistory, coordinates: Tensor) -> Tensor:
    """f of each decision, [n, R]; 0 where nothing is known of the user."""
    found = coordinates.new_zeros(len(history.state), coordinates.shape[1])
    states, place = torch.unique(history.state, return_inverse=True)
    known = states >= 0
    if coordinates.shape[1] == 0 or not bool(known.any()):
        return found
    table = log_acts(history.touches, states[known], len(coordinates), _kinds_of_acts(history))
    of_state = found.new_zeros(len(states), coordinates.shape[1])
    of_state[known] = torch.sparse.mm(table, coordinates) / (1.0 + table.sum(1).to_dense())[:, None]
    return of_state[place]


def products(history: UserHistory, coordinates: Tensor, action: Tensor) -> Tensor:
    """f_k g_k of each decision and its logged item, [n, R]."""
    return user_coordinates(history, coordinates) * coordinates[action]


def taught_products(
    history: UserHistory, user: Tensor, coordinates: Tensor, action: Tensor, *, seed: int
) -> Tensor:
    """The same with coordinates that each user has no part in, turned to lie as those given: [n, R].

    user int64 [n].
    """
    found = coordinates.new_zeros(len(action), coordinates.shape[1])
    side = torch.unique(user, return_inverse=True)[1] % 2
    for half in (0, 1):
        rows, others = (torch.nonzero((side == half) == own).flatten() for own in (True, False))
        of_others = item_coordinates(history.select(others), len(coordinates), seed=seed)
        turned = _turned(of_others, coordinates)
        found[rows] = products(history.select(rows), turned, action[rows])
    return found


def _turned(coordinates: Tensor, towards: Tensor) -> Tensor:
    """The rotation of coordinates [A, R'] that lies nearest to others [A, R] (Schoenemann 1966)."""
    left, _, right = torch.linalg.svd(coordinates.T @ towards, full_matrices=False)
    turned: Tensor = coordinates @ (left @ right)
    return turned


def _kinds_of_acts(history: UserHistory) -> tuple[int, ...]:
    return _VIEWS if bool((history.touches.amount[:, list(_VIEWS)] > 0).any()) else _ANY
