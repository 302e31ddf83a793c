"""`metacart link`: the user ids of a serving system beside the pseudonyms of the published tables."""

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from features.errors import InputDataError
from flows.commands.json_flag import JsonFlag
from flows.settings import read_settings
from flows.shops import CONFIG
from flows.workspace import Workspace


def link(
    users: Path,
    /,
    *,
    out: Path,
    config: Path = CONFIG,
    column: str | None = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write which user_key of the published tables is which user id, and say how many ids are known.

    Exit status 65: no id of the file is known, and nothing was written.

    Parameters
    ----------
    users
        File of ids, as the column of the users in the logs has them: CSV, JSON Lines or Parquet.
    out
        File to write, .parquet or .csv, for its owner alone; not in the data folder.
    column
        Column with the ids; by default user_id, or the only column.
    overwrite
        Replace the file where it exists.
    """
    from flows.commands.printed_link import link_json, link_lines, no_match
    from flows.links.link import link as run_link

    workspace = Workspace(read_settings(config))
    with workspace.locked():
        linked = run_link(workspace, users, out, column=column, overwrite=overwrite)
    if as_json:
        print(json.dumps(link_json(linked, out)))
    else:
        for line in link_lines(linked, out):
            print(line)
    if not linked.is_written:
        raise InputDataError(no_match(linked))
