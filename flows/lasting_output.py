"""Output that outlives its reader: a night goes on when the terminal or pipe that showed it is gone.

`metacart run | head` closes the pipe after ten lines, and a worker that dies closes that of its flow run.
Without this, the next line printed would end hours of learning.
"""

import os
import re
import sys
from typing import IO, TextIO, cast

from rich.console import Console

from features.contracts.plain_text import shown

_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class LastingStream:
    """A text stream whose output is dropped, without an error, from the moment when nobody reads it.

    Control characters are written as escapes, so that no text of a log moves the cursor or rings the bell;
    all but those that the output itself uses: line ends, tabs, and the sequences of a progress bar.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text; return its length."""
        try:
            self._stream.write(_UNSEEN.sub(lambda found: shown(found[0]), text))
        except BrokenPipeError:
            _drop(self._stream)
        return len(text)

    def flush(self) -> None:
        """Flush what was written."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            _drop(self._stream)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def outlive_readers() -> None:
    """Make standard output and error of this process last; call it once, before the work begins."""
    sys.stdout = cast("TextIO", LastingStream(sys.stdout))
    sys.stderr = cast("TextIO", LastingStream(sys.stderr))
    # rich would end the process with status 1, also where it only shows the lines of a log.
    Console.on_broken_pipe = _drop_of_console  # type: ignore[assignment, method-assign]


def _drop_of_console(console: Console) -> None:
    _drop(console.file)


def _drop(stream: IO[str]) -> None:
    """Connect the stream's descriptor to nowhere: what is still buffered goes there too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
