"""The policies of one domain on a night: what serves today, and what was learned."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from features.areas import area_of
from flows.night_folder import NightFolder
from flows.settings import Settings
from offline_rl.champions.layers import ServesInLog
from offline_rl.champions.standing import Today
from offline_rl.logged_data import Tasks
from offline_rl.serving import SegmentPolicies, served_probabilities


@dataclass(frozen=True)
class DomainPolicies:
    """One domain of a night: its policies, with the tasks and settings of their evaluation."""

    name: str
    folder: NightFolder
    tasks: Tasks
    settings: Settings

    @cached_property
    def today(self) -> Today:
        """What serves today: the champion of an earlier night, or the shop's own policy."""
        exploration = self.settings.learning.exploration
        return Today(self.tasks, exploration, self.folder.standing(self.name))

    @cached_property
    def incumbent(self) -> list[ServesInLog]:
        """The policy that serves today, if it is another one than the logging policy of the evidence."""
        own_serves = area_of(self.name).logs_policies and bool(self.settings.night.incumbent_policy)
        return [self.today.in_log()] if own_serves or self.today.standing is not None else []

    @cached_property
    def learned_again(self) -> str:
        """The learner of the champion that stands, where it has learned tonight as well; "" otherwise."""
        standing = self.today.standing
        if standing is None or standing.learner not in self.folder.policy_names(self.name):
            return ""
        return standing.learner

    def served(self, rows: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Yield every policy with its probabilities [len(rows), A] in these rounds of the log.

        The incumbent comes first, the learned ones follow as they would serve: adapted to each segment on the
        rounds before the holdout.
        """
        for today in self.incumbent:
            yield today.name, today.probabilities(rows)
        training, exploration = self.tasks.window("training"), self.settings.learning.exploration
        rounds = self.tasks.rounds.select(rows)
        for policy in self.folder.policies(self.name):
            adapted = SegmentPolicies.adapted(policy, training, exploration)
            yield policy.name, served_probabilities(adapted, rounds)
