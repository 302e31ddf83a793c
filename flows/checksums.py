"""Checksums: the sha256 of files as metacart left them, so that a change is seen before the next use."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

SUMS = "SHA256SUMS"
"""The name and the form that `sha256sum --check` reads."""


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, 64 hexadecimal characters."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksums(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return name → sha256 of files of a folder; names: relative paths with slashes."""
    return {name: sha256_of(folder / name) for name in sorted(names)}


def files_below(folder: Path) -> list[str]:
    """Return the relative paths of all files in a folder and its subfolders, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def changed(folder: Path, known: Mapping[str, str]) -> dict[str, str]:
    """Return name → "missing" or "changed" for each file that is not as its checksum says."""
    found = {}
    for name, sha256 in sorted(known.items()):
        path = folder / name
        if not path.is_file():
            found[name] = "missing"
        elif sha256_of(path) != sha256:
            found[name] = "changed"
    return found


def sums_text(sums: Mapping[str, str]) -> str:
    """Return the lines of a SHA256SUMS file.

    >>> print(sums_text({"manifest.json": "ab" * 32}), end="")
    abababababababababababababababababababababababababababababababab  manifest.json
    """
    return "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(sums.items()))


def read_sums(path: Path) -> dict[str, str] | None:
    """Return name → sha256 of a SHA256SUMS file; None where it is missing or has another form."""
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    pairs = [line.split("  ", maxsplit=1) for line in text.splitlines()]
    is_whole = text.endswith("\n") and all(len(pair) == 2 and len(pair[0]) == 64 for pair in pairs)
    if not is_whole:
        return None
    return {name: sha256 for sha256, name in pairs}
