"""The files of a night's learning, by name and by type: tasks, policies, contenders and champions.

rounds_*, tasks_*, targets_*    the learning tasks of each domain (features/tasks/files.py)
learned/<domain>/               learned policies as they were validated, before the refit
policies/<domain>/              the same as they are evaluated on the holdout
last_fits/<domain>/             those that may serve tomorrow, fitted to the holdout as well
ranker_<domain>.json            the ranker that serves where nothing can be proved
standing/<domain>/              the champion of an earlier night, and tonight's decisions as it reads them
candidate/<domain>/             the candidate of an experiment, in the same form
new_candidate/<domain>/         the candidate of an experiment that begins, as the registry will hold it
experiment_<domain>.json        what becomes of the experiment tonight
elected/<domain>/               the policy that was promoted, as the registry will hold it
contenders_<domain>.json        the policies that ask for promotion
champion_<domain>.json          the policy that serves tomorrow

torch is imported where tensors are needed: `metacart ingest` should not wait for it.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from features.tasks.build import DomainTasks
from features.tasks.files import (
    TaskNames,
    load_read_again,
    read_names,
    read_reading,
    read_segment_ids,
    save_read_again,
    save_tasks,
)
from features.tasks.reading import ReadAgain, Reading
from features.tasks.windows import night_end
from flows.champion_folder import ChampionCard, ChampionFolder
from flows.json_files import read_json, read_record, write_json, write_record
from offline_rl.champions.forms import TAUGHT_BY

if TYPE_CHECKING:
    from offline_rl.champions.standing import Standing
    from offline_rl.decision_targets import DecisionTargets
    from offline_rl.experiments.tonight import ExperimentTonight
    from offline_rl.logged_data import Tasks
    from offline_rl.meta.meta_policy import MetaPolicy
    from offline_rl.meta.mixed_effects import MixedMetaPolicy
    from offline_rl.registry import Champion, Contenders


@dataclass(frozen=True)
class LearningFiles:
    """The files of learning in the work folder of one night."""

    path: Path

    def save_tasks(self, tasks: DomainTasks) -> None:
        """Write the learning tasks of a domain."""
        save_tasks(tasks, self.path)

    def names(self, domain: str) -> TaskNames:
        """Read the names of what the arrays of a domain hold."""
        return read_names(self.path, domain)

    def rounds(self, domain: str) -> pl.DataFrame:
        """Read user and time of each evidence round, in the order of the tasks' rounds."""
        return pl.read_parquet(self.path / f"rounds_{domain}.parquet")

    def segment_ids(self, domain: str) -> tuple[str, ...]:
        """Read only the names of a domain's segments."""
        return read_segment_ids(self.path, domain)

    def tasks(self, domain: str) -> "Tasks":
        """Read the learning tasks of a domain."""
        from offline_rl.logged_data import load_tasks

        return load_tasks(self._arrays(domain))

    def targets(self, domain: str, tasks: "Tasks") -> "DecisionTargets":
        """Read the users or segments that get a decision tomorrow; tasks: of the same domain."""
        from offline_rl.decision_targets import load_targets

        rows = self.path / f"targets_{domain}.parquet"
        return load_targets(self._arrays(domain), rows, tasks.rounds.history)

    def save_policies(
        self,
        domain: str,
        *,
        learned: Iterable["MetaPolicy"],
        evaluated: Iterable["MetaPolicy"],
        served: Iterable["MetaPolicy"],
    ) -> None:
        """Write the learned policies as they were validated, as they are evaluated, and as they may serve."""
        from offline_rl.artifacts import save_policy

        for folder, policies in (
            (self.path / "learned" / domain, learned),
            (self._policies(domain), evaluated),
            (self._last_fits(domain), served),
        ):
            for policy in policies:
                save_policy(policy, folder)

    def policies(self, domain: str) -> Iterator["MetaPolicy"]:
        """Yield all learned policies of the night, by name, as they are evaluated."""
        return _stored(self._policies(domain))

    def policy_names(self, domain: str) -> list[str]:
        """Return the names of all learned policies of the night."""
        return sorted(path.stem for path in self._policies(domain).glob("*.safetensors"))

    def learned(self, domain: str) -> Iterator["MetaPolicy"]:
        """Yield all learned policies as they were validated, before the refit (`offline_rl.meta.refit`)."""
        return _stored(self.path / "learned" / domain)

    def policy(self, domain: str, name: str) -> "MetaPolicy":
        """Read a policy as it is evaluated."""
        from offline_rl.artifacts import load_policy

        return load_policy(self._policies(domain) / f"{name}.safetensors")

    def last_fit(self, domain: str, name: str) -> "MetaPolicy":
        """Read a policy that may serve, as it does then: fitted to all rounds whose rewards are known."""
        from offline_rl.artifacts import load_policy

        return load_policy(self._last_fits(domain) / f"{name}.safetensors")

    def pooled(self, domain: str) -> "MixedMetaPolicy":
        """Read the policy of the pooled reward model, fitted on all rounds before the holdout."""
        from offline_rl.meta.mixed_effects import MixedMetaPolicy
        from offline_rl.meta.named_learners import BASELINE

        pooled = self.policy(domain, BASELINE.name)
        assert isinstance(pooled, MixedMetaPolicy)
        return pooled

    def write_ranker(self, domain: str, ranker: str) -> None:
        """Write the name of the ranker that serves where nothing that was shown is logged."""
        write_json(self.path / f"ranker_{domain}.json", {"ranker": ranker})

    def ranker(self, domain: str) -> str:
        """Read the name of the ranker that serves."""
        return str(read_json(self.path / f"ranker_{domain}.json")["ranker"])

    def write_standing(self, domain: str, champion: Path, read: Sequence[ReadAgain]) -> None:
        """Write the champion that stands again, and tonight's decisions as each of its layers reads them."""
        _write_again(self.path / "standing" / domain, champion, read)

    def stands(self, domain: str) -> bool:
        """Whether the champion of an earlier night stands again."""
        return (self.path / "standing" / domain).is_dir()

    def standing(self, domain: str) -> "Standing | None":
        """Read the champion that stands again; None where the shop's own policy serves."""
        return _read_again(ChampionFolder(self.path / "standing" / domain))

    def write_candidate(self, domain: str, candidate: Path, read: Sequence[ReadAgain]) -> None:
        """Write the candidate of an experiment, and tonight's decisions as each of its layers reads them."""
        _write_again(self.candidate_folder(domain), candidate, read)

    def candidate(self, domain: str) -> "Standing | None":
        """Read the candidate of an experiment that runs; None where none does, or it can't serve tonight."""
        return _read_again(ChampionFolder(self.candidate_folder(domain)))

    def candidate_folder(self, domain: str) -> Path:
        """Return the folder of the candidate that stands again, which exists if one does."""
        return self.path / "candidate" / domain

    def new_candidate(self, domain: str) -> Path:
        """Return the folder of the candidate of an experiment that begins, which exists if one does."""
        return self.path / "new_candidate" / domain

    def write_experiment(self, domain: str, experiment: "ExperimentTonight") -> None:
        """Write what becomes of the experiment of a domain."""
        write_record(self._experiment(domain), experiment)

    def experiment(self, domain: str) -> "ExperimentTonight | None":
        """Read what becomes of the experiment of a domain; None without one."""
        from offline_rl.experiments.tonight import ExperimentTonight

        path = self._experiment(domain)
        return read_record(path, ExperimentTonight) if path.is_file() else None

    def standing_card(self, domain: str) -> ChampionCard:
        """Read the card of the champion that stands again."""
        return ChampionFolder(self.path / "standing" / domain).card

    def reading(self, domain: str) -> Reading:
        """Read how tonight's policies read decisions."""
        return read_reading(self.path, domain)

    def elected(self, domain: str) -> Path:
        """Return the folder of the policy that was promoted, which exists if one was."""
        return self.path / "elected" / domain

    def write_contenders(self, domain: str, contenders: "Contenders") -> None:
        """Write the contenders, the policies that ask for promotion."""
        write_record(self.path / f"contenders_{domain}.json", contenders)

    def contenders(self, domain: str) -> "Contenders":
        """Read the contenders, the policies that ask for promotion."""
        from offline_rl.registry import Contenders

        return read_record(self.path / f"contenders_{domain}.json", Contenders)

    def write_champion(self, domain: str, champion: "Champion") -> None:
        """Write the champion, the policy that serves tomorrow."""
        write_record(self.path / f"champion_{domain}.json", champion)

    def champion(self, domain: str) -> "Champion":
        """Read the champion, the policy that serves tomorrow."""
        from offline_rl.registry import Champion

        return read_record(self.path / f"champion_{domain}.json", Champion)

    def is_promoted(self, domain: str) -> bool:
        """Whether the night has promoted a policy in a domain, by its gate or by an experiment."""
        experiment = self.experiment(domain)
        if experiment is not None and experiment.is_won:
            return True
        path = self.path / f"champion_{domain}.json"
        return path.is_file() and self.champion(domain).verdict == "promote"

    def _experiment(self, domain: str) -> Path:
        return self.path / f"experiment_{domain}.json"

    def _arrays(self, domain: str) -> Path:
        return self.path / f"rounds_{domain}.npz"

    def _policies(self, domain: str) -> Path:
        return self.path / "policies" / domain

    def _last_fits(self, domain: str) -> Path:
        return self.path / "last_fits" / domain


def _stored(folder: Path) -> Iterator["MetaPolicy"]:
    from offline_rl.artifacts import load_policy

    return (load_policy(path) for path in sorted(folder.glob("*.safetensors")))


def _write_again(folder: Path, elected: Path, read: Sequence[ReadAgain]) -> None:
    shutil.copytree(elected, folder)
    for place, of_layer in enumerate(read):
        save_read_again(folder / f"read_{place}.npz", of_layer)


def _read_again(elected: ChampionFolder) -> "Standing | None":
    from offline_rl.champions.standing import Standing
    from offline_rl.champions.stored import load_layers

    if not elected.path.is_dir():
        return None
    card, readings = elected.card, elected.readings
    read = [load_read_again(elected.path / f"read_{place}.npz") for place in range(len(readings))]
    return Standing(
        policy_version=card.policy_version,
        learner=card.learner,
        is_adapted=card.is_adapted,
        elected_version=card.elected_version,
        elected_until=night_end(card.elected_on),
        kept_from=card.kept_from,
        layers={form: load_layers(elected.policy(form)) for form in TAUGHT_BY},
        readings=readings,
        read=tuple(read),
        by_experiment=card.evidence_level == "experiment",
    )
