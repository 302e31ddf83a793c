"""A value, or a value less another, as one function of a log's sums."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, Self

import numpy as np

from offline_rl.ope.records import Floats, Ints

STEP = 1e-3
"""Step of the numerical gradient, as a share of a sum's own standard deviation."""


class Valued(Protocol):
    """All that evaluation needs of an estimator once its terms are summed, whatever the terms are of."""

    @property
    def rests_on_model(self) -> bool:
        """True where rewards enter through q̂ alone, so that no interval can show the model's error."""
        ...

    @property
    def name(self) -> str:
        """The spelling that tables share."""
        ...

    def value(self, sums: Floats) -> Floats:
        """Return the policy value of sums [..., k], shape [...]; NaN where the sums identify nothing."""
        ...


@dataclass(frozen=True, eq=False)
class Contrast:
    """Σ sign · estimator.value(sums[..., place]) over its parts, of sums [..., K].

    place: where the estimator's terms of one policy lie among the K columns of a `SummedLog`.
    """

    parts: tuple[tuple[float, Valued, Ints], ...]

    @classmethod
    def of(cls, estimator: Valued, place: Ints, other: Ints | None = None) -> Self:
        """Return the value by an estimator at one place, less that at another where one is given."""
        value = cls(((1.0, estimator, place),))
        return value if other is None else value.less(estimator, other)

    def less(self, estimator: Valued, place: Ints) -> Self:
        """Return this contrast, less the value by an estimator at another place."""
        return type(self)((*self.parts, (-1.0, estimator, place)))

    @cached_property
    def columns(self) -> Ints:
        """The columns that the parts read, each once, ascending; shape [k]."""
        return np.unique(np.concatenate([place for _, _, place in self.parts]))

    def value(self, sums: Floats) -> Floats:
        """Return the value of sums [..., K], shape [...]."""
        signed = (sign * estimator.value(sums[..., place]) for sign, estimator, place in self.parts)
        return np.asarray(sum(signed))

    def gradient(self, sums: Floats, scale: Floats) -> Floats:
        """Return the derivative of the value by each of `columns`, at sums [..., K]; shape [..., k].

        By central differences of STEP times the scale [K], the standard deviation of each sum. The value is
        smooth on that scale or there is no standard error to speak of, and estimators needn't know calculus.
        """
        slopes = np.zeros((*sums.shape[:-1], len(self.columns)))
        for sign, estimator, place in self.parts:
            at = sums[..., place]
            for i, column in enumerate(place.tolist()):
                step = np.zeros(len(place))
                step[i] = STEP * scale[column]
                if step[i] > 0:
                    rise = estimator.value(at + step) - estimator.value(at - step)
                    # Added up by column, so that a value less itself has a slope of exactly 0.
                    slopes[..., np.searchsorted(self.columns, column)] += sign * rise / (2 * step[i])
        return slopes
