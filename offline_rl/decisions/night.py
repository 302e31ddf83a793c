"""A night before its decisions, the argument of every area's `decide`: one signature for all areas."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from features.areas import Area
from features.contracts.findings import Say
from features.tasks.files import TaskNames
from offline_rl.champions.standing import Standing
from offline_rl.decision_targets import DecisionTargets
from offline_rl.decisions.served_policy import EvidenceLevel
from offline_rl.experiments.tonight import ExperimentTonight
from offline_rl.logged_data import Tasks
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.registry import Champion


class NightFolder(Protocol):
    """What the stages before have left of a night, by the name of the area."""

    @property
    def run_id(self) -> str:
        """The night's run."""

    def names(self, domain: str) -> TaskNames:
        """Return what the arrays of an area stand for."""

    def tasks(self, domain: str) -> Tasks:
        """Return the learning tasks of an area."""

    def targets(self, domain: str, tasks: Tasks) -> DecisionTargets:
        """Return who gets a decision tomorrow; tasks: of the same area."""

    def champion(self, domain: str) -> Champion:
        """Return who serves tomorrow."""

    def standing(self, domain: str) -> Standing | None:
        """Return the champion of an earlier night, as it stands again; None where there is none."""

    def candidate(self, domain: str) -> Standing | None:
        """Return the candidate of an experiment, as it stands again; None where none began before tonight."""

    def last_fit(self, domain: str, name: str) -> MetaPolicy:
        """Return a policy that may serve, as it does, fitted to all rounds whose rewards are known."""

    def ranker(self, domain: str) -> str:
        """Return the name of the ranker that serves where nothing can be proved."""

    def table(self, name: str) -> pl.DataFrame:
        """Return a table that a stage before has left, as out_policy_values."""


class Marts(Protocol):
    """The marts of the night's warehouse."""

    def __call__(self, name: str, *columns: str) -> pl.DataFrame:
        """Return all rows of a mart, sorted; columns: those asked for, all where none is named."""


@dataclass(frozen=True)
class DecisionNight:
    """One area of one night, before it decides.

    area: its name. folder: what the night has learned and evaluated. marts: its warehouse.
    seed: of draws. own_version: what to call the shop's own policy.
    exploration: share of uniform slates of a learned policy. say: makes the sentences beside reasons.
    settings: the section of the configuration that the area asks for, by key.
    is_unproven: whether the area decides by acts alone, since no propensity was logged.
    evidence_level: whether the verdicts of the area stand on logged or on estimated propensities.
    experiment: the one whose candidate serves users tomorrow, if any.
    """

    area: str
    folder: NightFolder
    marts: Marts
    as_of: date
    seed: int
    own_version: str
    exploration: float
    say: Say
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_unproven: bool = False
    evidence_level: EvidenceLevel = "logged"
    experiment: ExperimentTonight | None = None


Decide = Callable[[DecisionNight], Mapping[str, pl.DataFrame]]
"""Type of `decide` in an area's module of decisions: a night → its tables by name, each valid by its
contract. Tables of the area that have no occasion are left out."""


if TYPE_CHECKING:
    # AREAS names its modules by text, which no tool follows: here type checkers hold them to the signature.
    from offline_rl.decisions.advertising import decide as advertising
    from offline_rl.decisions.budget import decide as budget
    from offline_rl.decisions.recommendation import decide as recommendation

    _OF_AREAS: tuple[Decide, ...] = (recommendation.decide, advertising.decide, budget.decide)


def decide_of(area: Area) -> Decide:
    """Return the decisions of an area; raises ImportError where the area names no such module."""
    decide: Decide = import_module(area.decisions).decide
    return decide
