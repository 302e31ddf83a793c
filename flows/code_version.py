"""The version of the code: a hash of its sources, finer than the version number of a release."""

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

PACKAGES = ("features", "flows", "offline_rl", "reports")
SOURCES = frozenset({".py", ".sql", ".j2", ".toml", ".css", ".js"})
"""What can change an outcome. Tables of results, such as LEARNERS.md, lie beside the code and follow it."""


@cache
def code_sha256(*packages: str) -> str:
    """Return the hash of all sources of packages, named as in imports; by default of all of metacart."""
    digest = hashlib.sha256()
    for package in packages or PACKAGES:
        folder = Path(str(files(package)))
        sources = (path for path in folder.rglob("*") if path.suffix in SOURCES and path.is_file())
        for file in sorted(sources):
            digest.update(f"{package}/{file.relative_to(folder).as_posix()}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
