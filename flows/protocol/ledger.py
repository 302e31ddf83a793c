"""The ledger: one line for each time that a learner was judged on a test split. It only ever grows."""

import json
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """Who looked at which test split, with which frozen configuration."""

    world: str
    seed: int
    learner: str
    split_sha256: str
    config_sha256: str


def record(path: Path, entry: Entry) -> None:
    """Append an entry, before the split is opened: a run that dies afterwards has looked as well.

    One write to a file opened for appending, so that processes side by side don't mix their lines.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(asdict(entry)) + "\n"
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def read_ledger(path: Path) -> list[Entry]:
    """All entries, the oldest first; none if there is no file."""
    if not path.is_file():
        return []
    return [Entry(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def reopened(entries: Sequence[Entry]) -> dict[tuple[str, int, str], list[str]]:
    """(world, seed, learner) → the configurations of its openings in order, where there was more than one."""
    openings = defaultdict(list)
    for entry in entries:
        openings[entry.world, entry.seed, entry.learner].append(entry.config_sha256)
    return {key: configs for key, configs in sorted(openings.items()) if len(configs) > 1}
