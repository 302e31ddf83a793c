"""`metacart ope` as a fixture."""

import json

import pytest

from flows.commands.cli import execute
from tests.flows.commands.ope.round_tables import write_parquet


@pytest.fixture
def ask(capsys):
    """Run the command on a file; its exit status and its JSON object."""

    def asked(path, *options):
        status = execute(["ope", str(path), "--json", *options])
        said = capsys.readouterr()
        return status, json.loads(said.out.splitlines()[-1]) if said.out else said.err

    return asked


@pytest.fixture
def ask_columns(tmp_path, ask):
    """Run the command on a Parquet file of these columns."""
    return lambda columns, *options: ask(write_parquet(tmp_path / "log.parquet", columns), *options)
