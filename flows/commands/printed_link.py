"""What a link holds and how it fits the shop, as lines for the terminal; no line contains an id."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flows.commands.spoken import counted
from flows.links.link import Linked

NEAR: Mapping[str, str] = {
    "blanks": "without the blanks around them",
    "case": "in lower or upper case",
    "form": "in the composed Unicode form (NFC)",
    "decimals": "with or without .0 at the end, as 17 and 17.0",
    "zeros": "without the zeros in front",
}


def link_lines(linked: Linked, out: Path) -> Iterator[str]:
    """Yield what there is to say of a link, the result first; out: its file."""
    counts = linked.counts
    if linked.is_written:
        yield (
            f"{out}: {counted(counts.n_rows, 'row')} of user_id and user_key, readable by its owner alone. "
            "It is personal data: keep it where the ids are kept."
        )
    yield _compared(linked)
    if linked.n_night_users and not linked.n_night_users_without_id:
        yield f"All {linked.n_night_users:,} users in these tables have an id in the file."
    elif linked.n_night_users:
        yield (
            f"Of the {linked.n_night_users:,} users in these tables {linked.n_night_users_without_id:,} have "
            "no id in the file."
        )
    elif linked.night:
        yield f"The tables of {linked.night} name no users: they are by segment."
    yield from (
        f"Of the unknown ids {n_ids:,} would be known {NEAR.get(how, how)}; they are not linked to those "
        "users."
        for how, n_ids in linked.near.items()
    )
    if linked.encoding:
        yield f"The file of ids is not UTF-8 and was read as {linked.encoding}: other letters make other ids."
    yield from _left_out(linked)
    if linked.n_forms > 1:
        yield (
            f"The mapping of the shop's files reads ids in {linked.n_forms} ways: an id that is known in "
            "several has a row for each."
        )
    if linked.is_composed:
        yield (
            "The mapping of some file makes the id of several columns, or takes it out of a longer text: the "
            "ids must be as that mapping makes them."
        )


def no_match(linked: Linked) -> str:
    """Return the sentence about a file none of whose ids is known."""
    # With a warehouse, another key than that of its rows is refused before.
    key = "" if linked.has_warehouse else "the pseudonym key is not the one of that night; "
    return (
        f"None of the {linked.counts.n_linked:,} ids is known, and nothing was written. Likely causes: "
        f"{key}the file has another kind of id than the logs; the ids are spelled otherwise than in the logs "
        "(blanks, letter case, 17 in place of 17.0, a prefix of the mapping); another column has them "
        "(--column); or they are of another shop (--config)."
    )


def link_json(linked: Linked, out: Path) -> dict[str, Any]:
    """Return the same as an object; out: its file, null where nothing was written."""
    found = asdict(linked)
    counts = found.pop("counts") | {"n_unknown": linked.counts.n_unknown}
    return {"link": str(out) if linked.is_written else None, **counts, **found}


def _compared(linked: Linked) -> str:
    counts = linked.counts
    unknown = "1 is unknown" if counts.n_unknown == 1 else f"{counts.n_unknown:,} are unknown"
    here = counted(counts.n_linked, "id")
    if linked.night is None:
        return (
            f"Of {here} {counts.n_in_warehouse:,} are in the warehouse; {unknown}. No night is published yet."
        )
    stored = (
        f"{counts.n_in_warehouse:,} in the warehouse" if linked.has_warehouse else "and there is no warehouse"
    )
    return f"Of {here} {counts.n_in_night:,} are in the tables of {linked.night}, {stored}; {unknown}."


def _left_out(linked: Linked) -> Iterator[str]:
    counts = linked.counts
    for number, what in (
        (counts.n_erased, "of an erased person: left out|of erased people: left out"),
        (counts.n_nobody, "of which the mapping makes nothing, such as a null word: left out"),
    ):
        if number:
            one, _, more = what.partition("|")
            yield f"{counted(number, 'id')} {one if number == 1 or not more else more}."
    for number, what in (
        (counts.n_empty, "without an id: left out"),
        (counts.n_unreadable, "that can't be read: left out"),
        (counts.n_repeated, "with an id that an earlier line has: once in the link"),
    ):
        if number:
            yield f"{counted(number, 'line')} {what}."
    if counts.n_sharing:
        yield (
            f"{counted(counts.n_sharing, 'row')} with the user_key of another row: the mapping makes one id "
            "of both."
        )
    if linked.n_guarded:
        yield (
            f"{counted(linked.n_guarded, 'id')} behind an apostrophe, because a spreadsheet would take it "
            "for a formula; a link that ends in .parquet has it unchanged."
        )
