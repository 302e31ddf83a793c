"""One random stream for each part of the world and each night.

A part draws from its own stream, so that one more draw in one part, or one more night at the end, changes no
other number.
"""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """The parts that draw. Their numbers enter the seed: never reuse or renumber one."""

    PEOPLE = 1
    CATALOG = 2
    PREFERENCES = 3
    LOGGING_POLICY = 4
    CREATIVES = 5
    SPEND_RESPONSE = 6
    VISITS = 7
    AD_IMPRESSIONS = 8
    AD_SPEND = 9
    ATTRIBUTES = 10
    SEASON = 11
    STOCK = 12
    EXPLORERS = 13
    DIRT = 14
    POLICY_VALUE = 15
    PERSONAL_TASTE = 16
    BROWSING = 17
    COSTS = 18
    THOMPSON = 19
    POOLED = 20


def generator(seed: int, stream: Stream, day: int = 0) -> np.random.Generator:
    """Return the random numbers of one part; `day` counts nights from 0, and is 0 for the world itself."""
    return np.random.default_rng([seed, int(stream), day])
