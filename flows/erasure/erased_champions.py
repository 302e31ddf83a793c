"""Champions and candidates whose files name a person leave the registry: a trait can hold anybody's id.

A champion's numbers are of groups, and stay; the proof says that models are not searched.
"""

import shutil
from datetime import date
from pathlib import Path

import duckdb

from flows.erasure.trace_search import Person, count_traces, files_of, words_in
from flows.registry.hand import Decision, record
from flows.registry.standing_champions import standing_on_the_next_night
from flows.workspace import Workspace


def remove_champions(workspace: Workspace, person: Person, connection: duckdb.DuckDBPyConnection) -> None:
    """Remove every champion that names the person; where it stands, the shop's own policy serves instead.

    The experiment of a candidate that is removed ends.

    connection: any, to read Parquet with. A decision in the ledger says so to the next night, which would
    otherwise miss its champion.
    """
    newest = workspace.last_night()
    for folder in sorted(workspace.registry.glob("*/*")):
        if not folder.is_dir() or not any(_names(person, file, connection) for file in files_of(folder)):
            continue
        area, name = folder.parent.name, folder.name
        if newest is not None:
            _end_its_service(workspace, area, name, newest)
        shutil.rmtree(folder)


def _end_its_service(workspace: Workspace, area: str, name: str, newest: date) -> None:
    standing = standing_on_the_next_night(workspace, newest)
    champion, running = standing.of(area), standing.experiments_of(area).running
    if champion.sha256[:16] == name:
        record(workspace, Decision("rollback", area, newest.isoformat()))
    elif running is not None and running.sha256[:16] == name:
        # A decision for what serves anyway ends the experiment.
        served = champion.policy_version, champion.sha256
        record(workspace, Decision("rollback", area, newest.isoformat(), *served))


def _names(person: Person, file: Path, connection: duckdb.DuckDBPyConnection) -> bool:
    if file.suffix == ".safetensors":
        return False
    is_word = person.shop_id.is_distinct and bool(words_in(file, person.shop_id, connection))
    return bool(count_traces(file, person)) or is_word
