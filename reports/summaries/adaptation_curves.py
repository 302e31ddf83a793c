"""out_adaptation_curves → one curve per learner: its value by support or by steps."""

from dataclasses import dataclass

import polars as pl

SUPPORT, STEPS = "support_rounds", "inner_steps"


@dataclass(frozen=True)
class AdaptationPoint:
    """Value with this many rounds of support, None for all of them, or this many gradient steps."""

    amount: int | None
    value: float | None
    true_value: float | None


@dataclass(frozen=True)
class AdaptationCurve:
    """A learner's points, the smallest amount first and all rounds last."""

    learner: str
    points: tuple[AdaptationPoint, ...]

    @property
    def gain(self) -> float:
        """Value at the end less value at the start; 0 where either is unknown."""
        first, last = self.points[0].value, self.points[-1].value
        return 0.0 if first is None or last is None else last - first

    @property
    def is_simulated(self) -> bool:
        """Whether the truth is known."""
        return all(point.true_value is not None for point in self.points)

    @property
    def half_gain_from(self) -> AdaptationPoint | None:
        """The first point from which on the value never falls below half of the gain; None without a gain."""
        if self.gain <= 0:
            return None
        enough = (self.points[0].value or 0.0) + self.gain / 2
        found = self.points[-1]
        for point in reversed(self.points):
            if point.value is None or point.value < enough:
                break
            found = point
        return found


def adaptation_curves(rows: pl.DataFrame, domain: str, curve: str) -> tuple[AdaptationCurve, ...]:
    """Return a domain's curves of one kind, by learner."""
    own = rows.filter(pl.col("domain") == domain, pl.col("curve") == curve)
    own = own.sort("learner", "amount", nulls_last=True)
    return tuple(
        AdaptationCurve(
            str(key[0]),
            tuple(AdaptationPoint(**row) for row in part.select("amount", "value", "true_value").to_dicts()),
        )
        for key, part in own.group_by("learner", maintain_order=True)
    )
