"""out_learning_curves → one curve per learner, thinned to what a page can show.

`seconds` is left out on purpose: it differs between equal runs, and a report is the same bytes for both.
"""

from dataclasses import dataclass

import polars as pl

POINTS_DRAWN = 120


@dataclass(frozen=True)
class CurvePoint:
    """State of a learner after this many meta-training steps."""

    step: int
    loss: float | None
    validation_value: float | None
    zero_shot_value: float | None

    @property
    def gain(self) -> float | None:
        """Value that adapting adds at this step; None where either value is unknown."""
        if self.validation_value is None or self.zero_shot_value is None:
            return None
        return self.validation_value - self.zero_shot_value


@dataclass(frozen=True)
class LearningCurve:
    """How one learner went from its first step, the warm start, to its last.

    n_compared, n_above, n_differing: steps whose value is known before and after adapting to a segment, and
    those of them where it is higher after, or not the same.
    first_loss and last_loss are the first and last that are known: before the first step there is none.
    """

    domain: str
    learner: str
    points: tuple[CurvePoint, ...]
    first: CurvePoint
    last: CurvePoint
    n_compared: int
    n_above: int
    n_differing: int
    first_loss: float | None
    last_loss: float | None


def learning_curves(rows: pl.DataFrame, domain: str) -> tuple[LearningCurve, ...]:
    """Return the domain's curves by learner."""
    chosen = rows.filter(pl.col("domain") == domain).sort("learner", "step")
    return tuple(
        _curve(domain, str(key[0]), part) for key, part in chosen.group_by("learner", maintain_order=True)
    )


def _curve(domain: str, learner: str, rows: pl.DataFrame) -> LearningCurve:
    points = [
        CurvePoint(**row)
        for row in rows.select("step", "loss", "validation_value", "zero_shot_value").to_dicts()
    ]
    stride = -(-len(points) // POINTS_DRAWN)
    drawn = [point for place, point in enumerate(points) if place % stride == 0 or place == len(points) - 1]
    gains = [point.gain for point in points if point.gain is not None]
    losses = [point.loss for point in points if point.loss is not None]
    return LearningCurve(
        domain=domain,
        learner=learner,
        points=tuple(drawn),
        first=points[0],
        last=points[-1],
        n_compared=len(gains),
        n_above=sum(gain > 0 for gain in gains),
        n_differing=sum(gain != 0 for gain in gains),
        first_loss=losses[0] if losses else None,
        last_loss=losses[-1] if losses else None,
    )
