"""Progress of learning: what whoever watches a night is told, wherever it is shown."""

from collections.abc import Callable
from dataclasses import dataclass

from offline_rl.meta.meta_policy import CurvePoint, Progress


@dataclass(frozen=True)
class Lesson:
    """One learner at work on one domain: the place-th of `of` in this night, counted from 0.

    max_steps: the steps that it takes at most.
    """

    domain: str
    learner: str
    place: int
    of: int
    max_steps: int

    def share_done(self, point: CurvePoint) -> float:
        """The share of the night's learning that is done, 0..1, if all learners took as long.

        >>> Lesson("recommendation", "maml", 1, 4, 200).share_done(CurvePoint(100, 0.2, 0.1, 0.1, 3.0))
        0.375
        """
        return (self.place + min(1.0, point.step / max(self.max_steps, 1))) / self.of


Watch = Callable[[Lesson], Progress]
"""Told that a lesson begins, answers with what to tell its points to."""


def unwatched(lesson: Lesson) -> Progress:
    """Nobody watches."""
    del lesson
    return lambda _point: None


def described(point: CurvePoint) -> str:
    """What a point of the learning curve says, in words; the loss only where there is one.

    >>> described(CurvePoint(40, 0.25, 0.0912, 0.0901, 3.0))
    'step 40  loss 0.2500  validation value 0.0912'
    >>> described(CurvePoint(0, float("nan"), 0.0912, 0.0901, 3.0))
    'step 0  validation value 0.0912'
    """
    loss = "" if point.loss != point.loss else f"loss {point.loss:.4f}  "
    return f"step {point.step}  {loss}validation value {point.validation_value:.4g}"
