"""The experiment of an area after a night has judged it, as tomorrow's decisions need it."""

from dataclasses import dataclass
from typing import Literal

from features.contracts.findings import Finding
from offline_rl.experiments.stop_rule import Status


@dataclass(frozen=True)
class ExperimentTonight:
    """One experiment.

    candidate: its policy_version when the experiment began. version: that of what serves its arm tomorrow,
    which its learner may have learned anew tonight. learner: who learned both. share: of users in its arm.
    found: what the night says of it. max_days: of the experiment. protected: the segments that today's policy
    keeps, whatever the arm.
    """

    area: str
    candidate: str
    version: str
    learner: str
    share: float
    status: Status | Literal["started"]
    found: Finding
    max_days: int
    protected: tuple[str, ...] = ()

    @property
    def experiment_id(self) -> str:
        """Its name, by which users are assigned to arms."""
        return experiment_id(self.area, self.candidate)

    @property
    def has_arms(self) -> bool:
        """Whether users of both arms are served differently tomorrow."""
        return self.status in ("started", "running")

    @property
    def is_won(self) -> bool:
        """Whether the candidate serves all users tomorrow."""
        return self.status == "promoted"


def experiment_id(area: str, candidate: str) -> str:
    """Return the name of the experiment with a candidate of this policy_version.

    >>> experiment_id("recommendation", "maml-2026-01-05-0a1b2c3d")
    'recommendation/maml-2026-01-05-0a1b2c3d'
    """
    return f"{area}/{candidate}"
