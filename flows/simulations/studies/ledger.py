"""The protocol's ledger: one line for each time that a learner was judged on a test split."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.ledger import read_lines


@dataclass(frozen=True)
class Entry:
    """Who looked at which test split, with which frozen configuration."""

    world: str
    seed: int
    learner: str
    split_sha256: str
    config_sha256: str


def read_ledger(path: Path) -> list[Entry]:
    """All entries, the oldest first; none if there is no file."""
    return [Entry(**line) for line in read_lines(path)]


def reopened(entries: Sequence[Entry]) -> dict[tuple[str, int, str], list[str]]:
    """(world, seed, learner) → the configurations of its openings in order, where there was more than one."""
    openings = defaultdict(list)
    for entry in entries:
        openings[entry.world, entry.seed, entry.learner].append(entry.config_sha256)
    return {key: configs for key, configs in sorted(openings.items()) if len(configs) > 1}
