"""The ledger of test splits: one line for each time that a learner was evaluated on one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.ledger import read_records


@dataclass(frozen=True)
class SplitUse:
    """One evaluation of a learner on a test split, with a frozen configuration."""

    world: str
    seed: int
    learner: str
    split_sha256: str
    config_sha256: str


def read_split_uses(path: Path) -> list[SplitUse]:
    """Return all uses, the oldest first; none if there is no file."""
    return read_records(path, SplitUse)


def used_again(uses: Sequence[SplitUse]) -> dict[tuple[str, int, str], list[str]]:
    """Return (world, seed, learner) → the configurations of its uses in order, where there are several."""
    configs_of = defaultdict(list)
    for use in uses:
        configs_of[use.world, use.seed, use.learner].append(use.config_sha256)
    return {key: configs for key, configs in sorted(configs_of.items()) if len(configs) > 1}
