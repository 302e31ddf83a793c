"""From logits to probabilities where some actions, or all, can't be shown.

Logits are logs of probabilities up to a constant of each row, minus infinity for what can't be shown. They
keep differences that probabilities lose: a third choice may be too improbable beside the first for any float,
and a slate shows it all the same once the other two are placed.
"""

import torch
from torch import Tensor


def shares(logits: Tensor) -> Tensor:
    """Return the softmax along the last dimension, [..., A]; zeros where nothing can be shown.

    >>> impossible = -torch.inf
    >>> shares(torch.tensor([[1000.0, 1000.0, impossible], [impossible, impossible, impossible]])).tolist()
    [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]
    """
    weights = _below_highest(logits).exp()
    return weights / _mass(weights)


def log_shares(logits: Tensor) -> Tensor:
    """Return the log-softmax along the last dimension, [..., A]; -inf throughout where nothing can be shown.

    >>> log_shares(torch.tensor([[0.0, -1000.0]])).tolist()
    [[0.0, -1000.0]]
    """
    differences = _below_highest(logits)
    return differences - _mass(differences.exp()).log()


def restricted(logits: Tensor, available: Tensor) -> Tensor:
    """Return logits [n, A] with -inf where not available; ValueError if a row has no available action.

    >>> restricted(torch.tensor([[0.5, 2.0]]), torch.tensor([[True, False]])).tolist()
    [[0.5, -inf]]
    """
    if not bool(available.any(-1).all()):
        row = int(torch.nonzero(~available.any(-1)).flatten()[0])
        raise ValueError(f"Row {row} has no available action to choose from: leave it out or widen its set.")
    return logits.masked_fill(~available, -torch.inf)


def _below_highest(logits: Tensor) -> Tensor:
    # Which constant is taken off changes nothing, so no gradient flows through it.
    highest = logits.detach().amax(-1, keepdim=True)
    return logits - highest.masked_fill(highest == -torch.inf, 0.0)


def _mass(weights: Tensor) -> Tensor:
    mass = weights.sum(-1, keepdim=True)
    return mass.masked_fill(mass == 0, 1.0)
