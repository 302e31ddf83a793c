"""What the warehouse keeps of rejected lines and of files, in sentences."""

import duckdb

from features.contracts.findings import from_json
from reports.wording.sentences import say, sentences


def rejected_lines(warehouse: duckdb.DuckDBPyConnection) -> list[tuple[int, str]]:
    """Return line and reason of each line in quarantine."""
    found = warehouse.execute("SELECT line, findings FROM rejected_lines ORDER BY line").fetchall()
    return [(line, "; ".join(sentences(from_json(findings)))) for line, findings in found]


def file_notes(warehouse: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return code → sentence of each note."""
    found = warehouse.execute("SELECT rule, findings FROM file_notes").fetchall()
    return {rule: say(from_json(findings)) for rule, findings in found}
