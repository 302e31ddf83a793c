"""Faults of the machine, not of the logs or of metacart: a full disk, too little memory, a forbidden file.

Libraries report them in their own classes and words, so the error number, the class and the text are all
looked at, of an error and of the errors that caused it.
"""

import errno
from collections.abc import Iterator

import duckdb

from features.errors import AccessError, MetacartError, ResourceError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_FAILED = {errno.EIO, errno.ENXIO, errno.ENAMETOOLONG, errno.EMFILE, errno.ENFILE, errno.ESTALE, errno.ELOOP}
_MISPLACED = {errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY}

# Of DuckDB, polars and torch, in lower case.
_FULL_WORDS = ("no space left on device", "disk quota exceeded", "disk is full", "file too large")
_FORBIDDEN_WORDS = ("permission denied", "read-only file system", "operation not permitted")
_FAILED_WORDS = ("input/output error", "file name too long", "too many open files")
_MISPLACED_WORDS = ("is a directory", "not a directory", "is not a regular file")
_MEMORY_WORDS = (
    "can't allocate memory",
    "cannot allocate memory",
    "out of memory",
    "failed to allocate",
    "failed to map segment",
)
_DAMAGED_WORDS = ("corrupt database file", "not a valid duckdb database", "failure while replaying wal")


def machine_fault(error: BaseException) -> MetacartError | None:
    """Return the fault of the machine behind an error as a sentence with its exit status; None for others.

    >>> fault = machine_fault(OSError(28, "No space left on device", "/data/out.parquet"))
    >>> int(fault.exit_status), str(fault).split(". ")[0]
    (73, "The disk is full: [Errno 28] No space left on device: '/data/out.parquet'")
    """
    for cause in _chain(error):
        if isinstance(cause, MetacartError):
            continue
        number = cause.errno if isinstance(cause, OSError) else None
        words = " ".join(str(cause).split())
        known = words.lower() if _is_foreign(cause) else ""
        if number in _FULL or _holds(known, _FULL_WORDS):
            return ResourceError(f"The disk is full: {words}. Free some room and start again.")
        if isinstance(cause, MemoryError | duckdb.OutOfMemoryException) or _holds(known, _MEMORY_WORDS):
            return ResourceError(
                f"There is not enough memory: {words or type(cause).__name__}. Close other programs, or use "
                "a machine with more, and start again."
            )
        if number in _FORBIDDEN or _holds(known, _FORBIDDEN_WORDS):
            return AccessError(
                f"A file or folder can't be used: {words}. Check its owner, its mode and its file system."
            )
        if number in _FAILED or _holds(known, _FAILED_WORDS):
            return AccessError(f"The file system refused: {words}. Check the disk and the name of the file.")
        if number in _MISPLACED or _holds(known, _MISPLACED_WORDS):
            return AccessError(
                f"A folder has the place of a file, or a file that of a folder: {words}. Move it away and "
                "start again."
            )
    return None


def is_damage(error: BaseException) -> bool:
    """Whether DuckDB found a damaged database file."""
    return isinstance(error, duckdb.Error) and _holds(str(error).lower(), _DAMAGED_WORDS)


def _is_foreign(error: BaseException) -> bool:
    """Whether the words of an error are a library's own, and not those of a log's line."""
    if isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException):
        return False
    return isinstance(error, ImportError | OSError | RuntimeError) or type(error).__module__.partition(".")[
        0
    ] in {
        "duckdb",
        "_duckdb",
        "polars",
        "pyarrow",
        "torch",
    }


def _holds(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text for word in words)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
