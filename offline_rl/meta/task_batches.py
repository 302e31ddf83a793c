"""Task batches: the rounds of several segments, padded to one length, with a leading task dimension."""

from collections.abc import Sequence

import torch
from torch import Tensor

from offline_rl.logged_data import LoggedRounds

Batch = dict[str, Tensor]


def rows_by_segment(rounds: LoggedRounds, segments: Sequence[int]) -> list[Tensor]:
    """Return the row indices of each segment, in the order of the log."""
    return [torch.nonzero(rounds.segment == segment).flatten() for segment in segments]


def sample_rows(rows: Sequence[Tensor], at_most: int, generator: torch.Generator) -> list[Tensor]:
    """Draw at most `at_most` rows of each task, without replacement; all where there are no more."""
    sampled = []
    for indices in rows:
        if len(indices) <= at_most:
            sampled.append(indices)
            continue
        drawn = torch.randperm(len(indices), generator=generator)[:at_most]
        sampled.append(indices[drawn.to(indices.device)])
    return sampled


def pad_tasks(
    rounds: LoggedRounds, rows: Sequence[Tensor], row_values: dict[str, Tensor] | None = None
) -> Batch:
    """Return the rows of each task side by side: T tasks of at most N rows.

    -> context [T, N, d], slot, action, reward, propensity [T, N], available bool [T, N, A],
    item_features [T, A, f] (a view), mask bool [T, N], history_state [T, N] and offset [T, N, A] where they
    are known, and each of row_values ([n, ...]) as [T, N, ...].
    Padding repeats the log's first round, so that it is a valid round, and is False in the mask.
    """
    if not rows:
        raise ValueError("A task batch needs at least one task.")
    length = max(1, *(len(indices) for indices in rows))
    index = torch.zeros(len(rows), length, dtype=torch.int64, device=rounds.action.device)
    mask = torch.zeros_like(index, dtype=torch.bool)
    for task, indices in enumerate(rows):
        index[task, : len(indices)] = indices
        mask[task, : len(indices)] = True
    known = {} if rounds.history is None else {"history_state": rounds.history.state[index]}
    if rounds.offset is not None:
        known["offset"] = rounds.offset[index]
    return {
        "context": rounds.context[index],
        "slot": rounds.slot[index],
        "action": rounds.action[index],
        "reward": rounds.reward[index],
        "propensity": rounds.propensity[index],
        "available": rounds.available[rounds.set_index[index]],
        "item_features": rounds.item_features.expand(len(rows), *rounds.item_features.shape),
        "mask": mask,
        **known,
        **{name: values[index] for name, values in (row_values or {}).items()},
    }


def sample_tasks(
    windows: Sequence[tuple[LoggedRounds, Sequence[Tensor]]],
    tasks: int,
    rows_per_task: int,
    generator: torch.Generator,
) -> list[Batch]:
    """Return the same few tasks, drawn without replacement, from each window (rounds, rows of every task).

    One batch per window: `tasks` tasks, or all if there are no more, of at most rows_per_task rows each.
    """
    drawn = torch.randperm(len(windows[0][1]), generator=generator)[:tasks].tolist()
    return [
        pad_tasks(rounds, sample_rows([rows[task] for task in drawn], rows_per_task, generator))
        for rounds, rows in windows
    ]
