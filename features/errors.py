"""Errors as sentences: what happened, where, and what to do next; each with an exit status."""


class MetacartError(Exception):
    """A failure with a sentence for the reader; `exit_status` follows sysexits.h."""

    exit_status = 70


class UsageError(MetacartError):
    """Wrong arguments or configuration: nothing was read, nothing was written."""

    exit_status = 64


class InputDataError(MetacartError):
    """Logs that can't be used as they are: nothing of them was published."""

    exit_status = 65


class LockedError(MetacartError):
    """Another run has the lock of the shop: try again when it has ended."""

    exit_status = 75
