"""Shapes: guards at the door of public functions: [N] against [T, N] is an error and not a broadcast."""

from typing import Protocol


class Shaped(Protocol):
    """A tensor or an array."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        ...


def check_same_shape(**arrays: Shaped) -> None:
    """Raise ValueError, naming the first that differs, unless all have the shape of the first.

    >>> import torch
    >>> check_same_shape(reward=torch.zeros(2, 3), mask=torch.zeros(3))
    Traceback (most recent call last):
    ValueError: mask has shape (3,) where (2, 3), that of reward, was expected.
    """
    (first, model), *others = arrays.items()
    for name, array in others:
        _check(name, array, tuple(model.shape), f"that of {first}")


def check_by_action(rows: str, model: Shaped, **arrays: Shaped) -> None:
    """Raise ValueError unless all have the shape of `model`, called `rows`, and one axis of actions more.

    >>> import torch
    >>> check_by_action("reward", torch.zeros(2, 3), q_hat=torch.zeros(3, 5))
    Traceback (most recent call last):
    ValueError: q_hat has shape (3, 5) where (2, 3, 5), that of reward and one axis of actions, was expected.
    """
    for name, array in arrays.items():
        n_actions = tuple(array.shape)[-1:]
        _check(name, array, (*tuple(model.shape), *n_actions), f"that of {rows} and one axis of actions")
    check_same_shape(**arrays)


def _check(name: str, array: Shaped, expected: tuple[int, ...], whose: str) -> None:
    if tuple(array.shape) != expected:
        raise ValueError(f"{name} has shape {tuple(array.shape)} where {expected}, {whose}, was expected.")
