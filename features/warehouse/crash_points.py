"""Named places where a test ends the process like `kill -9`, to check that the next night recovers."""

import os

ENVIRONMENT_VARIABLE = "METACART_CRASH_AT"
CRASH_POINTS = ("after the file is read", "after its rows are stored", "after the commit")
EXIT_STATUS = 137


def crash_point(name: str) -> None:
    """End the process here and now, with nothing flushed or closed, if METACART_CRASH_AT asks for it."""
    if os.environ.get(ENVIRONMENT_VARIABLE) == name:
        os._exit(EXIT_STATUS)
