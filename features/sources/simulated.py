"""The simulated shop as one more source: its files already have the contracts' names.

From here on it is treated as a real shop, so a night on simulated logs, whose truth is known, tests the same
path that real logs take.
"""

from datetime import date
from pathlib import Path

from features.contracts.logs import LOGS
from features.contracts.mapping import LogMapping, SourceFile
from features.errors import InputDataError
from features.simulator.shop import NIGHTLY_LOGS, WHOLE_LOGS, simulated_columns
from features.sources.folder import has_log, log_files

_LATER = {"items": frozenset({"cost_cents"}), "purchases": frozenset({"cost_cents"})}
"""Columns that shops of earlier versions lack, by log."""


def files(folder: Path, *, until: date | None = None) -> tuple[SourceFile, ...]:
    """List the CSV files of a simulated shop and the log that each one feeds.

    folder: where `simulate` wrote the shop.
    until: last date whose files count; None for all.
    Raises InputDataError when the folder is missing, has no impressions up to that date, or a file in it is
    not named by its date.
    """
    if not folder.is_dir():
        raise InputDataError(f"The simulated shop {folder} is missing. Write one: metacart simulate.")
    whole = [_source_file(folder, f"{log}.csv", log) for log in WHOLE_LOGS if has_log(folder, f"{log}.csv")]
    nightly = [
        _source_file(folder, f"{log}/{path.name}", log)
        for log in NIGHTLY_LOGS
        for path in log_files(folder, f"{log}/*.csv")
        if until is None or _night(path) <= until
    ]
    if not any(source.logs[0].log == "impressions" for source in nightly):
        up_to = "" if until is None else f" up to {until.isoformat()}"
        raise InputDataError(
            f"The simulated shop {folder} has no impressions{up_to}. "
            f"Write more nights with metacart simulate, or choose a later date."
        )
    return (*whole, *nightly)


def _night(path: Path) -> date:
    try:
        return date.fromisoformat(path.stem)
    except ValueError as error:
        raise InputDataError(
            f"{path} isn't named by its date. A nightly file is called YYYY-MM-DD.csv: rename or remove it."
        ) from error


def _source_file(folder: Path, name: str, log: str) -> SourceFile:
    return SourceFile(
        path=folder / name,
        name=name,
        file_format="csv",
        required=frozenset(simulated_columns(log)) - _LATER.get(log, frozenset()),
        optional=_LATER.get(log, frozenset()),
        logs=(LogMapping(log=log, columns=_by_name(log)),),
    )


def _by_name(log: str) -> dict[str, str]:
    """Return each column mapped to itself; quoted, because `date` is also a word of SQL."""
    columns = LOGS[log].columns()
    return {
        name: f"nullif(\"{name}\", '')" if columns[name].nullable else f'"{name}"'
        for name in simulated_columns(log)
    }
