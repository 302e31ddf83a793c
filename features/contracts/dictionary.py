"""The data dictionary: every table and column of the contracts as Markdown, for features/README.md."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dataframely as dy

import features
from features.contracts.finding_codes import CODES
from features.contracts.logs import LOGS, ROW_RULES
from features.contracts.outputs import OUTPUTS

BEGIN = "<!-- data dictionary: written by features.contracts.dictionary, do not edit by hand -->"
END = "<!-- end of the data dictionary -->"


def data_dictionary() -> str:
    """Return the dictionary: what goes in, what comes out, and the codes of findings."""
    logs = "\n".join(table(name, schema) for name, schema in LOGS.items())
    outputs = "\n".join(table(name, schema) for name, schema in OUTPUTS.items())
    return (
        f"{BEGIN}\n\n## What goes in\n\n{logs}\n"
        f"## What comes out\n{_UNITS}\n\n{outputs}\n{_findings()}\n{END}"
    )


def with_dictionary(page: str) -> str:
    """Return the page with the dictionary between its two marks brought up to date.

    Raises ValueError when the page lacks the marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(
            f"The page has no place for the data dictionary: it needs the lines {BEGIN} and {END}."
        )
    return before + data_dictionary() + after


def table(name: str, schema: type[dy.Schema]) -> str:
    """Return one table of the dictionary."""
    rows = "\n".join(_row(column, kind) for column, kind in schema.columns().items())
    about = " ".join((schema.__doc__ or "").split())
    head = "| column | type | unit | range | null | meaning |\n|---|---|---|---|---|---|"
    rules = "".join(f"\nIn every row {rule.sentence}.\n" for rule in ROW_RULES.get(name, ()))
    return f"### {name}\n{about}\n\n{head}\n{rows}\n{rules}"


def _findings() -> str:
    rows = "\n".join(
        f"| `{code}` | {', '.join(f'{name} ({unit})' for name, unit in meaning.numbers.items())} "
        f"| {meaning.about} |"
        for code, meaning in CODES.items()
    )
    head = "| code | numbers (unit) | meaning |\n|---|---|---|"
    return f"### Codes of findings\n{_FINDINGS}\n\n{head}\n{rows}\n"


_UNITS = (
    "`reward per round` is what `night.reward` counts: clicks or orders (0.042 is 4.2 of 100 rounds), or "
    "money in the currency's main unit (0.42 is 0.42 EUR). `manifest.json` has a night's `reward` and "
    "`currency`."
)

_FINDINGS = (
    "Columns `findings` and `interval_findings` hold a JSON array of objects with `code`, `subject` (the "
    "policy, arm or segment that it is about), `numbers` (those that are known) and, where it has causes, "
    "`because` (findings again). A `name` is a name as it stands in other columns, a `word` is an English "
    "noun from a fixed list. The sentences beside them are made of these and nothing else. Codes keep "
    "their meaning from release to release."
)


def _row(name: str, column: dy.Column) -> str:
    metadata = column.metadata or {}
    meaning = f"{column.description}{_treatment(metadata)}"
    cells = (
        f"`{name}`",
        type(column).__name__,
        metadata.get("unit", ""),
        _range(column),
        "yes" if column.nullable else "",
        meaning,
    )
    return "| " + " | ".join(cells) + " |"


def _treatment(metadata: Mapping[str, Any]) -> str:
    """Say what becomes of a column that could tell who somebody is."""
    said = {
        "personal": metadata.get("personal"),
        f"stored by {metadata.get('generalize')}": metadata.get("generalize"),
        "scrubbed": metadata.get("free_text"),
    }
    words = ", ".join(word for word, holds in said.items() if holds)
    return f" ({words})" if words else ""


def _range(column: dy.Column) -> str:
    if isinstance(column, dy.Enum):
        return ", ".join(column.categories)
    if isinstance(column, dy.String):
        # a bar would end the cell
        return f"`{column.regex}`".replace("|", "\\|") if column.regex else ""
    if not isinstance(column, dy.Int64 | dy.Float64):
        return ""
    ends = (
        ("> ", column.min_exclusive),
        ("≥ ", column.min),
        ("< ", column.max_exclusive),
        ("≤ ", column.max),
    )
    return ", ".join(f"{sign}{bound:,}" for sign, bound in ends if bound is not None)


def main() -> None:
    """Bring the dictionary of features/README.md up to date; `make dictionary` calls this."""
    page = Path(features.__file__).with_name("README.md")
    page.write_text(with_dictionary(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
