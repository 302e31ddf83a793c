"""File modes: warehouse, work, keys and proofs are for their owner; published nights for the group too."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
SHARED_FOLDER, SHARED_FILE = 0o750, 0o640


@contextmanager
def owner_only() -> Iterator[None]:
    """Make every file and folder that the process creates in a block readable by its owner alone."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def make_shared_folder(folder: Path) -> None:
    """Create a shop's folder of published nights, and that of all shops around it, if they are missing."""
    for path in (folder.parent, folder):
        if not path.is_dir():
            path.mkdir(parents=True)
            path.chmod(SHARED_FOLDER)


def share_with_group(folder: Path) -> None:
    """Make a folder and all that is in it readable by the group of its owner, and by nobody else."""
    folder.chmod(SHARED_FOLDER)
    for path in folder.rglob("*"):
        path.chmod(SHARED_FOLDER if path.is_dir() else SHARED_FILE)
