"""Splits: segments for training, validation and test, assigned by hash and written before any training."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from features.codes import Split
from features.errors import InputDataError
from features.tasks.splits import split_segments

_STRATA = 3


@dataclass(frozen=True)
class Splits:
    """The split of each segment.

    of: segment → split. salt: entered the hash.
    """

    of: Mapping[str, Split]
    salt: str

    @property
    def manifest(self) -> str:
        """The content of the splits' file: JSON, keys sorted."""
        return json.dumps({"salt": self.salt, "segments": dict(self.of)}, indent=1, sort_keys=True) + "\n"

    @property
    def sha256(self) -> str:
        """The hash of the manifest."""
        return hashlib.sha256(self.manifest.encode()).hexdigest()

    def seal(self, path: Path) -> None:
        """Write the manifest, before anything is trained.

        Raises InputDataError if the file exists with other splits: a split may not change once it is used.
        """
        if path.is_file():
            if path.read_text(encoding="utf-8") != self.manifest:
                raise InputDataError(
                    f"{path} holds another split than this study's. A split can't be changed: "
                    "choose another folder for another study."
                )
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.manifest, encoding="utf-8")


def deal(volumes: Mapping[str, int], group: Mapping[str, str], salt: str) -> Splits:
    """Assign segments to splits 60/20/20 by salted hash, by group, in three strata of equal size by volume.

    volumes: segment → rounds, from training windows only. group: segment → the group that stays in one split.
    Strata prevent that chance puts all large segments into one split; the hash prevents any choice by hand.

    >>> volumes = {"a": 9, "b": 8, "c": 7, "d": 6, "e": 5}
    >>> sorted(deal(volumes, {name: name for name in volumes}, "s").of.values()).count("meta_train")
    5
    """
    members: dict[str, list[str]] = {}
    for name in sorted(volumes):
        members.setdefault(group[name], []).append(name)
    by_volume = sorted(members, key=lambda key: (-sum(volumes[name] for name in members[key]), key))
    size = -(-len(by_volume) // _STRATA)
    of: dict[str, Split] = {}
    for start in range(0, len(by_volume), size):
        for key, split in split_segments(by_volume[start : start + size], salt).items():
            of |= dict.fromkeys(members[key], split)
    return Splits(of, salt)
