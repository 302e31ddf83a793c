"""Learner: meta-trains across segments, and returns a policy that adapts to one of them."""

from typing import Protocol

from offline_rl.meta.meta_policy import MetaPolicy, Progress
from offline_rl.meta.shared_fits import SharedFits


class Learner(Protocol):
    """Learns one policy from the tasks of all segments."""

    @property
    def name(self) -> str:
        """The name that tables and reports show."""
        ...

    def meta_train(self, fits: SharedFits, *, progress: Progress | None = None) -> MetaPolicy:
        """Learn from the support and query rounds of the meta_train segments of `fits.tasks`.

        fits: tasks, settings and seed, with what learners have in common; one by itself is given
        `SharedFits(tasks, settings, seed)`.
        The meta_validation segments decide when to stop and whether adaptation pays; holdout rounds and
        meta_test segments are not used. The same tasks, settings and seed give the same policy.
        Raises InputDataError if no segment has rounds to learn from.
        """
        ...
