"""The `join` of a `[[files]]` table: one other file, of which each line of the table's files reads one line.

join = { path = "campaigns.csv", on = "campaign" }        # both files call the column so
join = { path = "campaigns.csv", on = { touch_campaign = "campaign" } }     # the file's name = theirs
join = { path = "campaigns.csv", on = ["campaign", "country"], prefix = "campaigns." }
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from features.errors import UsageError
from features.sources.file_form import FORM_KEYS, FileForm, parse_form
from features.sources.toml_values import refuse_unknown, table_of, text_of, texts_of

JOIN_KEYS = (*FORM_KEYS, "on", "prefix")


@dataclass(frozen=True)
class JoinTable:
    """The file that is joined.

    on: pairs of a column of the table's files and the column of the joined file that must be equal.
    prefix: stands before the names of the joined file's columns where the table reads them.
    """

    form: FileForm
    on: tuple[tuple[str, str], ...]
    prefix: str = ""

    def one_name(self, column: str) -> str:
        """Return one name for a column of the file and for the equal key of the joined file."""
        keys = {f"{self.prefix}{theirs}".lower(): ours.lower() for ours, theirs in self.on}
        return keys.get(column.lower(), column.lower())


def parse_join(table: Mapping[str, object], key: str) -> JoinTable | None:
    """Return the `join` of a `[[files]]` table, None where it has none.

    Raises UsageError, with the key, where it has no file, no column, or an unknown key.
    """
    if "join" not in table:
        return None
    join, key = table_of(table, "join", key), f"{key}.join"
    refuse_unknown(join, JOIN_KEYS, key, "key")
    form = parse_form(join, key)
    if any(character in form.path for character in "*?[]"):
        raise UsageError(f"{key}.path = {form.path!r} must name one file: a pattern may match several.")
    on = tuple(_pairs(join, f"{key}.on"))
    if not on:
        raise UsageError(
            f"{key}.on must name the column that selects the line of {form.path}, as in "
            'on = "campaign", or on = { touch_campaign = "campaign" } where its two names differ.'
        )
    return JoinTable(form, on, text_of(join, "prefix", key, ""))


def _pairs(join: Mapping[str, object], key: str) -> Iterator[tuple[str, str]]:
    on = join.get("on", {})
    if isinstance(on, Mapping):
        yield from ((ours, text_of(on, ours, key)) for ours in on)
    else:
        yield from ((name, name) for name in texts_of(join, "on", key.removesuffix(".on")))
