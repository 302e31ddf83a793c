"""Findings that the database makes, line by line: SQL expressions for their JSON."""

from collections.abc import Mapping

from features.contracts.finding_codes import CODES
from features.contracts.findings import Number
from features.contracts.sql_text import quoted


def finding_sql(code: str, subject: str, numbers: Mapping[str, Number] | None = None, **found: str) -> str:
    """Return the SQL expression for a finding as JSON text, as `findings.as_plain` has it.

    numbers: those that are known now. found: name → SQL expression of a number that each row has of its own.
    Raises ValueError for a code that is not in the vocabulary, and for numbers that are not the code's.

    >>> finding_sql("outside_bounds", "slot", {"at_least": 1}, digits="len(slot)")
    "CAST(json_object('code', 'outside_bounds', 'subject', 'slot', 'numbers', json_object('at_least', 1, \
'digits', len(slot))) AS VARCHAR)"
    """
    known = dict(numbers or {})
    if code not in CODES or (known.keys() | found.keys()) - CODES[code].numbers.keys():
        raise ValueError(f"{code} is not a finding with {', '.join([*known, *found])}.")
    pairs = {name: _literal(number) for name, number in known.items()} | found
    listed = ", ".join(f"{quoted(name)}, {value}" for name, value in pairs.items())
    parts = ["'code'", quoted(code), "'subject'", quoted(subject)]
    parts += ["'numbers'", f"json_object({listed})"] if listed else []
    return f"CAST(json_object({', '.join(parts)}) AS VARCHAR)"


def array_sql(*findings: str) -> str:
    """Return the SQL expression for the JSON array of findings.

    findings: SQL expressions of their JSON texts; those that are null are left out.
    """
    return f"'[' || concat_ws(',', {', '.join(findings)}) || ']'"


def _literal(number: Number) -> str:
    return quoted(number) if isinstance(number, str) else repr(number)
