"""The SQL models: files of a query each, and two queries that follow from the logs and from the areas."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import dataframely as dy

from features.areas import AREAS
from features.contracts.logs import ADDED_UP, KEYS, LOGS
from features.contracts.sql_text import identifier
from features.errors import MetacartError
from features.warehouse.log_days import time_column
from features.warehouse.store import SQL, STORED_AS

LAYERS = ("staging", "intermediate", "marts")

_READS = re.compile(r"^-- reads: (.+)$", re.MULTILINE)
_IS_VIEW = re.compile(r"^-- kind: view$", re.MULTILINE)


@dataclass(frozen=True)
class Model:
    """One query: a table made from the tables that it reads, or a view without stored rows."""

    name: str
    reads: tuple[str, ...]
    query: str
    is_view: bool = False


def read_models() -> tuple[Model, ...]:
    """Return all models, each after the models that it reads; raises MetacartError as `in_order` does."""
    folders = [*(SQL / layer for layer in LAYERS), *(area.sql for area in AREAS)]
    files = (file for folder in folders for file in sorted(folder.glob("*.sql")))
    return in_order([*map(read_model, files), keyed_lines(), rounds_of_areas()])


def in_order(found: Iterable[Model]) -> tuple[Model, ...]:
    """Return models, each after the models that it reads.

    Raises MetacartError when a model reads a table that nothing makes, or reads itself in a circle.
    """
    models = {model.name: model for model in found}
    known = {
        *models,
        *(f"raw_{log}" for log in LOGS),
        *(file.stem for file in (SQL / "manifest").glob("*.sql")),
    }
    for model in models.values():
        if unknown := set(model.reads) - known:
            raise MetacartError(f"{model.name}.sql reads {', '.join(sorted(unknown))}, which no model makes.")
    try:
        order = list(TopologicalSorter({name: model.reads for name, model in models.items()}).static_order())
    except CycleError as error:
        raise MetacartError(
            f"The SQL models read each other in a circle: {' → '.join(error.args[1])}."
        ) from error
    return tuple(models[name] for name in order if name in models)


def read_model(file: Path) -> Model:
    """Return the model of a file; raises MetacartError when it does not name what it reads."""
    return _model(file.stem, file.read_text())


def rounds_of_areas() -> Model:
    """Return the rounds of all areas as one view; columns that an area does not have are null in it.

    Each area that has rounds makes a model int_rounds_<name>: round_id, decided_at, user_key, surface,
    action_id, propensity and the columns that its rewards count; further columns of fct_rounds where it has
    them, and its own.
    """
    names = [area.name for area in AREAS if area.is_learned]
    query = "\nUNION ALL BY NAME\n".join(
        f"SELECT '{name}' AS domain, rounds.* FROM int_rounds_{name} AS rounds" for name in names
    )
    return _model(
        "int_rounds",
        f"""-- int_rounds: one row per logged decision of any area, with its reward.
-- grain: domain, round_id
-- reads: {", ".join(f"int_rounds_{name}" for name in names)}
-- units: money in cents, times in UTC, propensity in (0, 1]
-- kind: view
{query}
""",
    )


def keyed_lines() -> Model:
    """Return the loaded lines of all logs whose key is an id as one view, for stg_superseded_lines."""
    logs = [log for log in KEYS if log not in ADDED_UP]
    width = max(len(KEYS[log]) for log in logs)
    query = "\nUNION ALL\n".join("\n".join(_keyed_lines(log, width)) for log in logs)
    return _model(
        "stg_keyed_lines",
        f"""-- stg_keyed_lines: one row per loaded row of a log whose key is an id, up to the night's date
-- grain: log, load_number, file_line, key_hash
-- reads: {", ".join(f"raw_{log}" for log in logs)}
-- units: key_hash and content are DuckDB's hashes of the key and of all that the row says
-- kind: view
{query}
""",
    )


def _keyed_lines(log: str, width: int) -> Iterator[str]:
    """Yield the lines of one log's query; a key is a struct of `width` texts, null beyond its columns."""
    columns = [identifier(STORED_AS.get(name, name)) for name in KEYS[log]]
    key = [f"CAST({column} AS VARCHAR)" for column in columns] + ["NULL"] * (width - len(columns))
    struct = ", ".join(f"'key_{place}': {value}" for place, value in enumerate(key, start=1))
    yield f"SELECT '{log}' AS log, load_number, file_line, hash({', '.join(columns)}) AS key_hash,"
    yield f"    {{{struct}}} AS key, hash(*COLUMNS(* EXCLUDE (load_number, file_line))) AS content"
    yield f"FROM raw_{log}"
    if time := time_column(log):
        is_day = isinstance(LOGS[log].columns()[time], dy.Date)
        night_end = "CAST(getvariable('as_of') + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'"
        last = "<= getvariable('as_of')" if is_day else f"< {night_end}"
        yield f"WHERE {identifier(time)} {last}"


def _model(name: str, query: str) -> Model:
    reads = _READS.search(query)
    if not reads:
        raise MetacartError(f"{name}.sql has no line `-- reads: ...` at its head.")
    names = tuple(table.strip() for table in reads[1].split(","))
    return Model(name, names, query, is_view=bool(_IS_VIEW.search(query)))
