"""Free space on the disk of a folder that need not exist yet."""

import shutil
from pathlib import Path


def existing(path: Path) -> Path:
    """Return the folder, or the nearest of its parents that exists."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def free_bytes(folder: Path) -> int:
    """Return the free bytes on the disk of a folder that need not exist yet."""
    return shutil.disk_usage(existing(folder)).free
