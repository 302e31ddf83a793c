"""Secrecy: the pseudonym key, and the modes of what only its owner should read."""

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from features.deidentify import MissingKeyError, read_key
from features.deidentify.pseudonym import ENVIRONMENT_VARIABLE
from features.errors import UsageError
from flows.health.check import Check, fault, warning, well

KEY, MODES = "key", "modes"

_OTHERS, _ENTER = 0o077, 0o100


def check_key(path: Path, *, has_rows: bool, environment: Mapping[str, str] = os.environ) -> Check:
    """Look for the shop's key.

    has_rows: whether the warehouse has rows, whose users would be other people under a new key.
    """
    try:
        key = read_key(path, environment=environment)
    except MissingKeyError as error:
        if has_rows:
            advice = "The warehouse has rows of it: restore the key, since a new one makes all users new."
            return fault(KEY, str(error), advice, error.exit_status)
        return well(KEY, f"There is no key yet; the first night makes {path}, mode 0600.")
    except UsageError as error:
        return fault(KEY, str(error), "No night runs before that.", error.exit_status)
    place = ENVIRONMENT_VARIABLE if environment.get(ENVIRONMENT_VARIABLE) else f"{path}, mode 0600"
    return well(KEY, f"The key {key.key_id} is in {place}. Back it up.")


def modes_of(paths: Iterable[Path]) -> dict[Path, int]:
    """Return the mode of each of these files and folders that exists."""
    return {path: stat.S_IMODE(path.stat().st_mode) for path in paths if path.exists()}


def check_modes(modes: Mapping[Path, int]) -> list[Check]:
    """Return a check of all modes, or one of each file or folder that its group or others can use."""
    if not modes:
        return [well(MODES, "Nothing is stored yet.")]
    found = [
        warning(
            MODES,
            f"Others can use {path} (mode {mode:04o}).",
            f"The next night closes it; to do so now: `chmod {'700' if mode & _ENTER else '600'} {path}`.",
        )
        for path, mode in modes.items()
        if mode & _OTHERS
    ]
    return found or [well(MODES, f"Only their owner can use {', '.join(str(path) for path in modes)}.")]
