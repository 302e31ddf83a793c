"""Errors as sentences: what happened, where, and what to do next; each with an exit status."""

from pathlib import Path

from features.exit_statuses import ExitStatus


class MetacartError(Exception):
    """A failure with a sentence for the reader; `exit_status` is that of the command."""

    exit_status = ExitStatus.FAILURE


class UsageError(MetacartError):
    """Wrong arguments or configuration: nothing was read, nothing was written."""

    exit_status = ExitStatus.USAGE


class InputDataError(MetacartError):
    """Logs that can't be used as they are: nothing of them was published."""

    exit_status = ExitStatus.INPUT


class LockedError(MetacartError):
    """Another run has the lock of the shop: try again when it has ended."""

    exit_status = ExitStatus.LOCKED


class BusyFileError(LockedError):
    """Another program has a file of the shop open, often for seconds alone: it may be closed in a minute."""


class DamagedFileError(InputDataError):
    """A file of metacart's own that can't be read: nothing is decided on a part of it."""


class ResourceError(MetacartError):
    """The disk or the memory is full: the same run succeeds when there is more of it."""

    exit_status = ExitStatus.RESOURCES


class TimeLimitError(MetacartError):
    """A limit of [time_limits] has stopped a stage: what was done before it is kept."""

    exit_status = ExitStatus.TIMED_OUT


class AccessError(MetacartError):
    """A file or folder can't be read or written, because of its mode, its owner or its disk."""

    exit_status = ExitStatus.ACCESS


def refuse_missing(path: Path) -> None:
    """Refuse a path at which there is nothing, before its ending or its content is judged."""
    if not path.exists():
        raise InputDataError(
            f"{path} can't be read: there is no file or folder of this name. Check its spelling, and the "
            "folder that the command is called in."
        )


def closed(text: str) -> str:
    """Return a text with a mark at its end: one that it has, or a full stop.

    >>> closed("line 3 is empty"), closed("is it another time zone?"), closed("It is empty.")
    ('line 3 is empty.', 'is it another time zone?', 'It is empty.')
    """
    ended = text.rstrip()
    return ended if ended.endswith((".", "?", "!")) else f"{ended}."
