"""The known facts when a log is drafted, and the lines that every log has: columns, defaults and blanks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from features.contracts.logs import LOGS
from features.sources.draft import Line, blank, comment, operand, read_line, text_literal, toml_text
from features.sources.experiment_table import Experiment
from features.sources.guesses import CANCELLED_WORDS
from features.sources.headings import plain_heading
from features.sources.likely_logs import FEEDS
from features.sources.sample import YES, Column, Sample

# Words of a person may name a person: no example of them.
_FREE_TEXT_CHARACTERS = 80


# Examples are shown only of these: any other column may be about people.
_SHOWN = {
    "item",
    "time",
    "quantity",
    "price",
    "total",
    "cost",
    "revenue",
    "category",
    "brand",
    "slot",
    "propensity",
}


ROW_NUMBER = toml_text("row number")


# Columns that a log can lack: the value in every row, and a remark on it.
_CONSTANTS: Mapping[str, tuple[str, str]] = {
    "quantity": ("1", "no quantity found"),
    "is_cancelled": ("false", "no cancellations found"),
    "segment_id": ('"all"', "no audience segment found"),
    "surface": ('"home"', "no surface found; name the place where items are shown"),
    "policy_version": ('"unknown"', "no policy found; name the policy that chose"),
}


# Comments on blanks that one value may fill.
ASKED: Mapping[str, str] = {
    "slot": "no slot found: 1 where one item is shown at a time, else name its column under columns",
    "event_type": "no kind of event found: view, click, add_to_cart or remove_from_cart",
    "campaign_id": "no campaign found: one name, if all lines are of one campaign",
    "channel": "no channel found: where the ads ran, such as search or feed",
    "creative_id": "no creative found: one name, if all lines are of one",
    "impressions": "no count of ads shown was found; without it clicks have no base",
    "clicks": "no clicks found; 0 only if they were not measured",
    "conversions": "no conversions found; 0 only if they were not measured",
    "revenue_cents": "no revenue found; 0 only if it was not measured",
    "conversion_value_cents": "no revenue found; 0 only if it was not measured",
    "spend_cents": "no spend found; 0 only if it was not measured",
    "cost_cents": "no cost found; 0 only if it was not measured",
    "is_clicked": "no clicks found: name their column under columns",
}


_CHANNELS_IN_NAMES = (
    "google",
    "meta",
    "facebook",
    "instagram",
    "amazon",
    "bing",
    "tiktok",
    "pinterest",
    "criteo",
)


@dataclass(frozen=True)
class Seen:
    """The facts found in a file's first lines.

    roles: role → its column. misfits: columns whose heading fits a role, and whose values don't.
    stem: the file's name in lower case, which may name its kind of lines.
    experiment: the facts on an experiment's table; None for any other file.
    """

    sample: Sample
    roles: Mapping[str, Column]
    misfits: Mapping[str, Column]
    stem: str
    experiment: Experiment | None = None


@dataclass(frozen=True)
class Drafted:
    """The known facts when the lines of a log are written."""

    log: str
    logs: list[str]
    seen: Seen

    @property
    def roles(self) -> Mapping[str, Column]:
        """Role → its column."""
        return self.seen.roles

    @property
    def elements(self) -> tuple[str, ...]:
        """Steps to the list that the log takes its rows from; empty where a line is a row."""
        used = (self.roles[role] for role in FEEDS[self.log].values() if role in self.roles)
        return next((column.inside for column in used if column.inside), ())

    @property
    def sample(self) -> Sample:
        """The first lines of the file."""
        return self.seen.sample


def absent(name: str, known: Drafted) -> Iterator[Line]:
    """Yield the default of a column that the file lacks, or a blank for it."""
    kind = LOGS[known.log].columns()[name]
    misfit = known.seen.misfits.get(FEEDS[known.log].get(name, ""))
    if misfit is not None:
        said = f"{comment(misfit.label)} has the name, but not the values; name another column or correct it"
        yield blank(f"columns.{name}", f"{kind.description}. {said} by an expression")
    elif name == "propensity":
        yield Line("constants.propensity", "0.3333", "in a randomized test of three", "off")
    elif kind.nullable:
        if name == "user_id":
            yield from _address_as_user(known)
    elif name in _CONSTANTS:
        value, said = _CONSTANTS[name]
        yield Line(f"constants.{name}", value, said, "assumed")
    elif name == "channel" and (
        found := next((word for word in _CHANNELS_IN_NAMES if word in known.seen.stem), "")
    ):
        yield Line("constants.channel", toml_text(found), "by the file's name", "assumed")
    elif name in ASKED:
        yield blank(f"constants.{name}", ASKED[name])
    elif name == "session_id":
        yield blank("columns.session_id", 'no visit found: name its column, or ids.session_id = "row number"')
    else:
        yield blank(f"columns.{name}", f"needed, and not found: {kind.description}")


def _address_as_user(known: Drafted) -> Iterator[Line]:
    personal = known.roles.get("personal_user")
    if personal is not None:
        said = "no customer number found; this would become a keyed pseudonym as well: your choice"
        yield Line("columns.user_id", toml_text(personal.name), said, "off")


def unit(name: str, column: Column, known: Drafted) -> Iterator[Line]:
    """Yield the unit of an amount in cents, by its heading or by default."""
    if (LOGS[known.log].columns()[name].metadata or {}).get("unit") != "cents":
        return
    words = plain_heading(column.label).split("_")
    if "micros" in words:
        yield Line(f"units.{name}", '"millionths"', "of the currency, as its heading says")
    elif not {"cent", "cents", "ct"} & set(words):
        yield Line(f"units.{name}", '"currency"', '35.79 is 3579 cents; or "cents", or "millionths"')


def may_repeat(known: Drafted) -> str:
    """Return the question whether a line comes twice, for rows that their line numbers alone tell apart."""
    asked = "Can a line come twice, here or in a later file?"
    if not known.sample.n_repeated:
        return asked
    n_repeated, n_lines = known.sample.n_repeated, known.sample.n_lines
    return f"{asked} {n_repeated} of {n_lines} lines read here repeat an earlier one, and count twice."


def own_id(known: Drafted) -> Column | None:
    """Return the column with an id of each line, without a known kind."""
    candidate = known.roles.get("any_id")
    return candidate if candidate is not None and candidate.is_unique else None


def flag_line(name: str, column: Column) -> Line:
    """Return the line for yes or no: flags as they are, a time that is there, or words that mean it."""
    if column.words and column.words <= {"0", "1", "true", "false"}:
        return read_line(name, column)
    if column.is_flag:
        return Line(f"expressions.{name}", toml_text(f"case when {is_yes(column)} then true else false end"))
    said = operand(column)
    if not column.values or column.time_form is not None:
        return Line(f"expressions.{name}", toml_text(f"{said} is not null"), "where it has a time")
    meant = sorted(column.words & CANCELLED_WORDS) or ["cancelled", "canceled", "refunded"]
    listed = ", ".join(map(text_literal, meant))
    others = sorted(column.words - set(meant))
    why = (
        f"check the words; not cancelled are: {', '.join(map(comment, others[:8]))}"
        if others
        else "check the words"
    )
    when = f"case when lower({said}) in ({listed}) then true else false end"
    return Line(f"expressions.{name}", toml_text(when), why, "assumed")


def is_yes(column: Column) -> str:
    """Return the condition that a flag is true."""
    said = ", ".join(map(text_literal, sorted(column.words & YES) or ["1"]))
    return f"lower({operand(column)}) in ({said})"


def example(column: Column, role: str) -> str:
    """Return the comment on a column, without any value that may be about a person."""
    if role == "user":
        return "becomes a keyed pseudonym before anything is stored"
    if not column.values:
        return "empty in the first lines"
    if role not in _SHOWN:
        return ""
    if max(map(len, column.values)) > _FREE_TEXT_CHARACTERS:
        return "free text"
    return f"e.g. {comment(column.example)}"
