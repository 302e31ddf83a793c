"""The two-sided test of a difference by a normal interval: its power, and what it resolves."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from offline_rl.ope.records import Floats


@dataclass(frozen=True)
class Asked:
    """What a plan must achieve.

    power: probability that the interval of a true gain lies above zero. confidence: level of that two-sided
    interval. Raises ValueError for a number outside (0, 1), and for a power that no test fails to have.

    >>> round(Asked(power=0.8, confidence=0.95).errors, 2)
    2.8
    """

    power: float = 0.8
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise ValueError(f"a confidence lies between 0 and 1, and is not {self.confidence:g}.")
        if not (1 - self.confidence) / 2 < self.power < 1:
            least = (1 - self.confidence) / 2
            raise ValueError(f"a power lies between {least:g}, that of no gain, and 1; not {self.power:g}.")

    @property
    def errors(self) -> float:
        """Standard errors that a true difference must measure, z(1 − α/2) + z(power).

        Twice its square is the 16 of Kohavi, Tang & Xu 2020, chapter 17: n = 16 σ² / δ² rounds in each of two
        equal arms.
        """
        return float(ndtri((1 + self.confidence) / 2) + ndtri(self.power))

    def power_at(self, difference: float, standard_error: Floats) -> Floats:
        """Return the power at each standard error, Φ(δ / se − z(1 − α/2)).

        >>> Asked().power_at(0.0, np.array([1.0])).round(3).tolist()
        [0.025]
        """
        return np.asarray(ndtr(difference / standard_error - ndtri((1 + self.confidence) / 2)))
