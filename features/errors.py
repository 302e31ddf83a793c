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


class DamagedFileError(InputDataError):
    """A file of metacart's own that can't be read: nothing is decided on a part of it."""


class ResourceError(MetacartError):
    """The disk or the memory is full: the same run succeeds when there is more of it."""

    exit_status = 73


class AccessError(MetacartError):
    """A file or folder can't be read or written, because of its mode, its owner or its disk."""

    exit_status = 74
