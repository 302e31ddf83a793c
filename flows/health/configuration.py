"""The configuration: whether it can be read, and whether its logs are there."""

import os
from collections.abc import Iterable
from pathlib import Path

from features.exit_statuses import ExitStatus
from flows.health.check import Check, fault, warning, well
from flows.settings import Settings

NAME = "configuration"


def known_variables() -> set[str]:
    """Return the names of all environment variables that override a key of the configuration."""
    prefix = str(Settings.model_config.get("env_prefix", ""))
    return {
        f"{prefix}{table}__{key}".upper()
        for table, field in Settings.model_fields.items()
        for key in getattr(field.annotation, "model_fields", ())
    }


def check_variables(environment: Iterable[str] = os.environ) -> list[Check]:
    """Return a check of each variable that looks like a key of the configuration and is none."""
    prefix = str(Settings.model_config.get("env_prefix", ""))
    asked = [name for name in environment if name.startswith(prefix) and "__" in name]
    return [
        warning(
            NAME,
            f"The environment variable {name} is not a known key, so nothing reads it.",
            "Correct its name: METACART_<TABLE>__<KEY>.",
        )
        for name in sorted(asked)
        if name.upper() not in known_variables()
    ]


def check_configuration(config: Path, settings: Settings, n_files: int) -> Check:
    """Judge a configuration that was read; n_files: log files that it names."""
    if not settings.shop.logs.is_dir():
        found = f"{config} names {settings.shop.logs}, which is not a folder."
        return fault(NAME, found, "Put the logs there, or correct shop.logs.", ExitStatus.INPUT)
    files = "1 log file" if n_files == 1 else f"{n_files:,} log files"
    return well(NAME, f"{config} is read, with every key known; it names {files} in {settings.shop.logs}.")
