"""Amounts of an adaptation curve: how much support, or how many gradient steps, its points stand for."""

import numpy as np
import torch

from offline_rl.logged_data import LoggedRounds

SUPPORT_ROUNDS = (25, 50, 100, 200)
"""Beside no round and all of them."""

INNER_STEPS = (0, 1, 3, 5, 10)


def first_rounds(support: LoggedRounds, segment: int, at_most: int) -> LoggedRounds:
    """At most so many rounds of a segment's support, drawn at random; a larger draw holds every smaller one.

    They stay in the order of the log, and are the same for every learner.
    """
    random = np.random.default_rng(segment)
    drawn = np.sort(random.permutation(support.n)[:at_most])
    return support.select(torch.from_numpy(drawn))
