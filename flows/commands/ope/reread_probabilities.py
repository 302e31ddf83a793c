"""Probabilities read again from a file, for callers that pass over all rounds in order several times."""

from collections.abc import Iterator

import numpy as np

from flows.commands.ope.batch_columns import BatchColumn
from flows.commands.ope.round_files import RoundFile
from offline_rl.ope.records import Floats, Ints


class RereadProbabilities:
    """`logging_probs` as a function of row indices [m] → [m, A], read from the file in each pass.

    It replaces a matrix [n, A] where rows are asked for in runs, each starting where the last one ended:
    only one run and one batch of the file are in memory. A run from row 0 starts a new pass.
    """

    def __init__(self, file: RoundFile, n_actions: int) -> None:
        self._file, self._n_actions = file, n_actions
        self._blocks, self._next = self._read(), 0
        self._rest: Floats = np.empty((0, n_actions))

    def __call__(self, rows: Ints) -> Floats:
        """Return the probabilities of a run of rows.

        Raises ValueError for rows that neither follow the last ones nor start at 0.
        """
        start, stop = int(rows[0]), int(rows[-1]) + 1
        if start == 0:
            self._blocks, self._next, self._rest = self._read(), 0, self._rest[:0]
        if start != self._next or stop - start != len(rows):
            raise ValueError(f"rows {start} to {stop - 1} don't follow row {self._next - 1}: ask in order.")
        blocks, n_held = [self._rest], len(self._rest)
        while n_held < len(rows):
            block = next(self._blocks)
            blocks.append(block)
            n_held += len(block)
        held = np.concatenate(blocks)
        self._rest, self._next = held[len(rows) :], stop
        return held[: len(rows)]

    def _read(self) -> Iterator[Floats]:
        first_row = 0
        for rows in self._file.batches(["logging_probs"]):
            column = BatchColumn(
                str(self._file.path), "logging_probs", first_row, rows.column("logging_probs")
            )
            if len(rows):
                yield column.probabilities(self._n_actions)
            first_row += len(rows)
