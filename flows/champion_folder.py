"""A champion's folder: the policy that was elected, what must be known of it, and a proof of both.

<data>/registry/<shop>/<area>/<sha256>/    the first 16 characters of the card's hash
    card.json              the card: who was elected, when, on which evidence; the hash of each other file
    served.safetensors, served.json          the policy as it serves (offline_rl/champions/stored.py)
    evaluated.safetensors, evaluated.json    the same before its last fit, as later nights evaluate it
    readings.json          how each of its layers reads decisions (features/tasks/reading.py)

A folder never changes: what it holds is in its name. It is written before the night that elected it is
published, and counts only where a published night names it.
"""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from features.errors import DamagedFileError
from features.tasks.reading import Reading
from flows.checksums import checksums
from flows.json_files import sync_folder, sync_tree, write_record
from offline_rl.champions.forms import TAUGHT_BY, Form

CARD, READINGS = "card.json", "readings.json"
FILES = (*(f"{form}.{kind}" for form in TAUGHT_BY for kind in ("safetensors", "json")), READINGS)


@dataclass(frozen=True)
class ChampionCard:
    """What must be known of an elected policy.

    policy_version: its name in tables. area, shop: where it serves. learner: who learned it. as_of, run_id:
    of the night that learned it; data_from, data_to: the first and last day of its logs. seed, config_sha256:
    of that night. parent: the version that it took the place of, "" for the shop's own policy.
    elected_version, elected_on: of the policy that a verdict has promoted; it is this one, or the first that
    the same learner has learned anew on the nights since. kept_from: the segments that it leaves to what
    served before that. difference, lower, upper, confidence: of the verdict, per round; None where the log
    did not tell. n_segments, n_items: that it knows. is_adapted: whether any segment has a policy
    of its own. files: name → sha256. evidence_level: what elected it.
    """

    policy_version: str
    area: str
    shop: str
    learner: str
    as_of: date
    run_id: str
    data_from: date
    data_to: date
    seed: int
    config_sha256: str
    parent: str
    elected_version: str
    elected_on: date
    kept_from: tuple[str, ...]
    difference: float | None
    lower: float | None
    upper: float | None
    confidence: float
    n_segments: int
    n_items: int
    is_adapted: bool
    files: Mapping[str, str]
    evidence_level: Literal["logged", "experiment"] = "logged"


@dataclass(frozen=True)
class ChampionFolder:
    """One folder of a registry."""

    path: Path

    @property
    def card(self) -> ChampionCard:
        """The card; raises DamagedFileError where it is missing or is not one."""
        path = self.path / CARD
        try:
            return TypeAdapter(ChampionCard).validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise DamagedFileError(f"{path} can't be read as a champion's card. {_AFTER_DAMAGE}") from error

    @property
    def sha256(self) -> str:
        """The hash of the card, and so of all the folder holds."""
        try:
            return hashlib.sha256((self.path / CARD).read_bytes()).hexdigest()
        except OSError as error:
            raise DamagedFileError(f"{self.path / CARD} can't be read. {_AFTER_DAMAGE}") from error

    def policy(self, form: Form) -> Path:
        """Return the path of the policy in a form, without the ending of its two files.

        Older versions stored one form, which had not learned from the holdout.
        """
        stem = self.path / form
        return stem if stem.with_suffix(".json").is_file() else self.path / "policy"

    @property
    def readings(self) -> tuple[Reading, ...]:
        """How each layer of the policy reads decisions."""
        try:
            found: tuple[Reading, ...] = _READINGS.validate_json((self.path / READINGS).read_bytes())
        except (OSError, ValidationError) as error:
            raise DamagedFileError(f"{self.path / READINGS} can't be read. {_AFTER_DAMAGE}") from error
        return found

    def check(self, sha256: str) -> None:
        """Raise DamagedFileError, naming the file, where anything is not as it was elected.

        sha256: of the card, as the night that elected it has published it.
        """
        if not self.path.is_dir():
            raise DamagedFileError(f"{self.path} is missing, and its policy serves. {_AFTER_DAMAGE}")
        if self.sha256 != sha256:
            raise DamagedFileError(f"{self.path / CARD} is not the card that was elected. {_AFTER_DAMAGE}")
        files = self.card.files
        found = checksums(self.path, [name for name in files if (self.path / name).is_file()])
        wrong = [name for name, expected in files.items() if found.get(name) != expected]
        strangers = sorted({path.name for path in self.path.iterdir()} - {CARD, *files})
        if wrong:
            raise DamagedFileError(f"{self.path / wrong[0]} is missing or has changed. {_AFTER_DAMAGE}")
        if strangers:
            raise DamagedFileError(
                f"{self.path / strangers[0]} does not belong to a champion: move it away, then run again."
            )


_READINGS = TypeAdapter(tuple[Reading, ...])

_AFTER_DAMAGE = (
    "Restore it from a backup, or let another policy serve (`metacart champions` names them, "
    "`metacart rollback VERSION --area AREA` chooses one); then run again."
)


def write_readings(path: Path, readings: tuple[Reading, ...]) -> None:
    """Write how the layers of a policy read decisions."""
    path.write_bytes(_READINGS.dump_json(readings))


def write_card(folder: Path, card: ChampionCard) -> None:
    """Write the card beside the files that it describes."""
    write_record(folder / CARD, card)


def registered(policies: Path, sha256: str) -> ChampionFolder:
    """Return the folder of a stored policy, checked; policies: the registry's folder of its area.

    Raises DamagedFileError where it is not as it was stored.
    """
    folder = ChampionFolder(policies / sha256[:16])
    folder.check(sha256)
    return folder


def register(elected: Path, registry: Path) -> ChampionFolder:
    """Copy an elected policy from its night's work into the registry of an area, and return its folder.

    The folder appears whole or not at all, and one that is there already stays as it is.
    """
    name = ChampionFolder(elected).sha256[:16]
    place = registry / name
    if place.is_dir():
        return ChampionFolder(place)
    registry.mkdir(parents=True, exist_ok=True)
    fresh = registry / f".{name}.tmp"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(elected, fresh)
    sync_tree(fresh)
    fresh.rename(place)
    sync_folder(registry)
    return ChampionFolder(place)
