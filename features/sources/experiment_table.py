"""The table of an experiment without times: each line is a person, the assigned arm, and the result."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from features.sources.draft import Line, blank, operand, text_literal, toml_text
from features.sources.headings import heading_rank, plain_heading
from features.sources.sample import Column, Sample

# Headings of the assigned arm, the most specific first. `segment` is what mail programs call the arm.
_ARM = (
    *("arm", "variant", "treatment", "test_group", "test_cell", "cell", "group", "version", "condition"),
    *("offer", "template", "mail", "email", "e_mail", "campaign", "segment"),
    *("variante", "gruppe", "testgruppe", "behandlung", "groupe", "grupo"),
)
# Headings of the result; the first that the file has is used, since it happens more often than later ones.
_OUTCOME = (
    *("visit", "visited", "opened", "open", "clicked", "click", "is_clicked", "responded", "response"),
    *("converted", "conversion", "convert", "bought", "purchased", "purchase", "ordered"),
    *("besuch", "geoeffnet", "geklickt", "gekauft", "ouvert", "clique", "abierto"),
)
# A file with these roles is another log.
_OF_OTHER_LOGS = {"time", "order", "event", "n_impressions", "clock", "slot", "propensity", "quantity"}
# Amounts and counts of later results; a context has only facts known before.
_CAME_AFTER = ("cost", "revenue", "total", "price", "conversions", "quantity", "click")
_FEWEST_ARMS = 2

# One time for all; its value does not matter, because rounds without times are split at random.
_MOMENT = toml_text("2026-01-01T00:00:00Z")


def experiment_roles(columns: Sequence[Column], roles: Mapping[str, Column]) -> dict[str, Column]:
    """Return the roles of an experiment's table, the arm as `item` and the result as `click`; else empty.

    roles: the first guess of the columns' roles.
    """
    arm, outcome = _first(columns, _ARM, is_flag=False), _first(columns, _OUTCOME, is_flag=True)
    if arm is None or outcome is None or _OF_OTHER_LOGS & roles.keys():
        return {}
    if len(arm.words) < _FEWEST_ARMS or arm.is_number or any(column.time_form for column in columns):
        return {}
    kept = {role: column for role, column in roles.items() if role == "user" and column not in {arm, outcome}}
    return kept | {"item": arm, "click": outcome}


@dataclass(frozen=True)
class Experiment:
    """The facts on an experiment's table for its draft.

    traits: columns of few values that may have been known before the assignment.
    n_arms: number of arms, including `none`.
    """

    traits: tuple[Column, ...]
    n_arms: int


def experiment_of(columns: Sequence[Column], roles: Mapping[str, Column], sample: Sample) -> Experiment:
    """Return the facts on an experiment's table, by its roles from `experiment_roles`."""
    traits = tuple(
        column
        for column in columns
        if column not in roles.values()
        and len(column.words) > 1
        and not {'"', "\\"} & set(column.name)
        and not (column.path or column.inside)
        and plain_heading(column.name) not in _OUTCOME
        and all(heading_rank(role, column.name) is None for role in _CAME_AFTER)
    )
    arm = roles["item"]
    # A null word is the arm of people who got nothing.
    n_nothing = sum(arm.label in names for names in sample.null_values.values())
    return Experiment(traits, len(arm.words) + n_nothing)


def experiment_line(name: str, experiment: Experiment, *, is_shown: bool) -> Iterator[Line]:
    """Yield the default of a column that an experiment's table lacks, one of those of `stands_in`.

    is_shown: whether the line is of the impressions, not of the events.
    """
    match name:
        case "impression_id" if not is_shown:
            yield Line("ids.impression_id", toml_text("row number"), "the assigned arm is on the same line")
        case "impression_id" | "event_id":
            yield Line(
                f"ids.{name}", toml_text("row number"), "no id found: each line is one person's", "assumed"
            )
        case "shown_at" | "occurred_at":
            said = (
                "no time found: one time for all, and a random split of the rounds. Rewards count from it on"
            )
            yield Line(f"constants.{name}", _MOMENT, said, "assumed")
        case "session_id":
            yield Line(
                "ids.session_id", toml_text("row number"), "no visit found: each line is one", "assumed"
            )
        case "slot":
            yield Line("constants.slot", "1", "each person got one arm", "assumed")
        case "propensity":
            share = f"{1 / experiment.n_arms:.6f} where {experiment.n_arms} arms were equally likely"
            yield blank("constants.propensity", f"the probability of the assigned arm: {share}")
        case "context" if is_shown and experiment.traits:
            said = "known before, for segments.by; leave out what became known later"
            yield Line("expressions.context", toml_text(_as_json(experiment.traits)), said, "assumed")


def stands_in(name: str) -> bool:
    """Return whether `experiment_line` has a line for a column of a log."""
    return name in {
        *("impression_id", "event_id", "session_id"),
        *("shown_at", "occurred_at", "slot", "propensity", "context"),
    }


def _first(columns: Sequence[Column], headings: Sequence[str], *, is_flag: bool) -> Column | None:
    named = {plain_heading(column.name): column for column in columns if column.is_flag is is_flag}
    return next((named[heading] for heading in headings if heading in named), None)


def _as_json(traits: Sequence[Column]) -> str:
    """Return the expression for a JSON object of texts.

    A quote or a backslash would end the text, so each is left out.
    """
    values = [
        f"""replace(replace(coalesce({operand(column)}, ''), '"', ''), '\\', '')""" for column in traits
    ]
    before = ["{", *(['", '] * (len(traits) - 1))]
    opened = [text_literal(f'{sign}"{column.name}": "') for sign, column in zip(before, traits, strict=True)]
    pairs = (f"{name} || {value}" for name, value in zip(opened, values, strict=True))
    return " || ".join([*pairs, text_literal('"}')])
