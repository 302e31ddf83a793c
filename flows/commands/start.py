"""The door of the `metacart` command: it answers a signal while Python imports the rest, for a second."""

import os
import signal
from types import FrameType
from typing import NoReturn

ANSWERED = (signal.SIGINT, signal.SIGTERM)


def main() -> None:
    """Import the command, with a sentence for whoever stops it meanwhile, and run it."""
    before = {number: signal.signal(number, _leave) for number in ANSWERED}
    from flows.commands.cli import main as run

    for number, handler in before.items():
        signal.signal(number, handler)
    run()


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    os.write(2, b"metacart: stopped before it began; nothing was done.\n")
    os._exit(128 + number)


if __name__ == "__main__":
    main()
