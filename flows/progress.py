"""Progress: the lines that a long run prints, and how far its learners are."""

from collections.abc import Callable
from dataclasses import dataclass

from offline_rl.meta.meta_policy import CurvePoint, Progress


@dataclass(frozen=True)
class LearnerRun:
    """The training of one learner on one domain: number `place` of the night's `of` runs, counted from 0.

    max_steps: upper limit of its gradient steps.
    """

    domain: str
    learner: str
    place: int
    of: int
    max_steps: int

    def share_done(self, point: CurvePoint) -> float:
        """Return the share of the night's learning that is done, 0..1, as if all learners took equally long.

        >>> LearnerRun("recommendation", "maml", 1, 4, 200).share_done(CurvePoint(100, 0.2, 0.1, 0.1, 3.0))
        0.375
        """
        return (self.place + min(1.0, point.step / max(self.max_steps, 1))) / self.of


ProgressListener = Callable[[LearnerRun], Progress]
"""Called when a learner's run begins; returns the function that receives its points."""

LinePrinter = Callable[[str], None]
"""Prints one line without its end."""


def no_listener(run: LearnerRun) -> Progress:
    """Ignore the progress of a run."""
    del run
    return lambda _point: None


def describe_point(point: CurvePoint) -> str:
    """Return a point of the learning curve in words, with its loss where there is one.

    >>> describe_point(CurvePoint(40, 0.25, 0.0912, 0.0901, 3.0))
    'step 40  loss 0.2500  validation value 0.0912'
    >>> describe_point(CurvePoint(0, float("nan"), 0.0912, 0.0901, 3.0))
    'step 0  validation value 0.0912'
    """
    loss = "" if point.loss != point.loss else f"loss {point.loss:.4f}  "
    return f"step {point.step}  {loss}validation value {point.validation_value:.4g}"
