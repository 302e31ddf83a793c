"""Faults of the machine as each library reports them: their exit status, and that logs are not blamed."""

import errno

import duckdb
import polars as pl
import pytest

from features.errors import InputDataError
from features.machine_faults import is_damage, machine_fault


def caused_by(cause: Exception) -> Exception:
    """Return an error as Python raises it from another."""
    try:
        raise ValueError("something else") from cause
    except ValueError as error:
        return error


@pytest.mark.parametrize(
    ("error", "status", "begin"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), 73, "The disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), 73, "The disk is full"),
        (
            duckdb.IOException("IO Error: Could not write file: No space left on device"),
            73,
            "The disk is full",
        ),
        (pl.exceptions.ComputeError("No space left on device (os error 28)"), 73, "The disk is full"),
        (MemoryError(), 73, "There is not enough memory: MemoryError"),
        (duckdb.OutOfMemoryException("Out of Memory Error: failed"), 73, "There is not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 73, "There is not enough memory"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/x"), 74, "A file or folder can't be used"),
        (OSError(errno.EROFS, "Read-only file system", "/data"), 74, "A file or folder can't be used"),
        (duckdb.IOException("Cannot open file: Permission denied"), 74, "A file or folder can't be used"),
        (OSError(errno.EIO, "Input/output error"), 74, "The file system refused"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "/data/x"), 74, "A folder has the place"),
        (FileExistsError(errno.EEXIST, "File exists", "/data"), 74, "A folder has the place"),
        (duckdb.IOException("IO Error: Could not open file: Is a directory"), 74, "A folder has the place"),
        (OSError(errno.ENAMETOOLONG, "File name too long"), 74, "The file system refused"),
    ],
)
def test_a_fault_of_the_machine_has_its_status_and_sentence(
    error: Exception, status: int, begin: str
) -> None:
    for raised in (error, caused_by(error)):
        fault = machine_fault(raised)
        assert fault is not None
        assert (fault.exit_status, str(fault).startswith(begin)) == (status, True)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("permission denied"),
        InputDataError("a.csv: line 2: 'no space left on device' is not a number"),
        duckdb.BinderException("no such column"),
        KeyError("x"),
        FileNotFoundError(errno.ENOENT, "No such file or directory"),
    ],
)
def test_other_errors_are_not_the_machine_s(error: Exception) -> None:
    assert machine_fault(error) is None


def test_a_damaged_database_is_recognized() -> None:
    said = "Corrupt database file: computed checksum 1 does not match stored checksum 2 in block 3"
    assert is_damage(duckdb.Error(said))
    assert not is_damage(duckdb.IOException("Could not set lock on file"))
    assert not is_damage(ValueError(said))
