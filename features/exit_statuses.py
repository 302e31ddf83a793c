"""Exit statuses of the `metacart` command: errors, the help page and the README have them from here.

Statuses from 64 on follow sysexits.h; 124 is that of `timeout`; 128 + n is the shell's form for the signal n.
"""

from enum import IntEnum


class ExitStatus(IntEnum):
    """One status; `meaning`: its line in the table."""

    meaning: str

    def __new__(cls, status: int, meaning: str) -> "ExitStatus":
        """Make a member that is a number and has a meaning."""
        member = int.__new__(cls, status)
        member._value_ = status
        member.meaning = meaning
        return member

    DONE = 0, "done; a verdict of hold is done"
    NOT_TRUSTED = 3, "`metacart ope`: the log can't tell; `metacart plan`: no plan"
    USAGE = 64, "wrong usage or configuration"
    INPUT = 65, "logs or files that can't be used"
    FAILURE = 70, "a failure inside"
    RESOURCES = 73, "disk or memory is full"
    ACCESS = 74, "a file or folder can't be read or written"
    LOCKED = 75, "another run has the lock of the shop"
    TIMED_OUT = 124, "stopped by a limit of [time_limits]"
    INTERRUPTED = 130, "stopped by SIGINT (Ctrl-C)"
    TERMINATED = 143, "stopped by SIGTERM"


def status_table() -> str:
    """Return the statuses as a Markdown table."""
    rows = [f"| {status.value} | {status.meaning} |" for status in ExitStatus]
    return "\n".join(["| exit status | meaning |", "|---|---|", *rows])
