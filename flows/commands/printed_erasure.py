"""What an erasure has found, removed and left, as lines for the terminal; no line contains an id."""

from collections.abc import Iterator, Mapping

from flows.commands.spoken import counted
from flows.erasure.proof import PUBLISHED, RAW_TABLES, Damage, Proof, Why

MOST_LINES = 12

WHY: Mapping[Why, str] = {
    "unclear": "the id is short, a number or a plain word, so the text could mean something else",
    "shop_file": "it names a file of yours, or a column or line of one",
    "needed": "it is part of an id or a name that other rows and your own systems refer to",
    "published": "it is the text of a page or a manifest, not a row about the person",
}
DAMAGE: Mapping[Damage, str] = {
    "removed": "removed, because it was damaged or left by an interrupted run",
    "reset": "damaged; its night was reset to the end of `metacart ingest`",
    "kept": "damaged; it contains no person, and stays as it is",
    "not searched": "can't be read and is not metacart's: not searched, look at it yourself",
}
NOT_SEARCHED: Mapping[str, str] = {
    "numbers": "columns of numbers and times",
    "models": "arrays and learned policies, in work folders of other nights and in the registry",
    "copies": "backups and copies outside of metacart's folders",
    "links": "files of `metacart link`, which are outside too and name the person: write each of them again",
}
DIFFERENCES: Mapping[str, str] = {
    "blanks": "the blanks around it",
    "case": "letter case",
    "form": "its Unicode form (accents as signs of their own)",
}


def erasure_lines(proof: Proof, path: object) -> Iterator[str]:
    """Yield what there is to say of an erasure, the result first; path: of the proof."""
    n_rows = sum(n for place, n in proof.found.items() if place.startswith(RAW_TABLES))
    if n_rows:
        yield f"Erased: {counted(n_rows, 'logged row')} of the person, and all that was made from them."
    elif proof.has_found:
        yield "Erased: what was left of the person besides logged rows."
    else:
        yield (
            "Nothing was found of a person with this id: check its spelling. A tombstone keeps the person "
            "out of later loads."
        )
        if proof.found:
            yield "Quoted lines in quarantine that contain the id as a word were emptied."
    yield f"The proof is {path}."
    masked = [
        f"{place}: masked in {counted(n, 'place')}"
        if place.startswith(PUBLISHED)
        else f"{place}: masked in {counted(n, 'row')} of other people"
        for place, n in proof.masked.items()
    ]
    yield from _listed("The shop's own id", masked)
    yield from _listed(
        "Found, not removed",
        [
            f"{mention.place}{f', column {mention.column}' if mention.column else ''}: "
            f"{counted(mention.n_rows, 'row' if mention.column else 'place')}, because {WHY[mention.why]}"
            for mention in proof.mentions
        ],
    )
    yield from _listed("Files", [f"{name}: {DAMAGE[fate]}" for name, fate in proof.damaged.items()])
    yield from _listed("Ids that look the same", list(_spelling_lines(proof)))
    yield from _listed(
        "Yours to erase; a file that is loaded again can bring back what it says in rows of others",
        [f"{name}: {counted(n, 'mention')}" for name, n in proof.shop_files.items()],
    )
    unread = [f"{name}, which can't be read" for name in proof.shop_files_unread]
    unread += [f"your log files: {proof.shop_files_missing}"] if proof.shop_files_missing else []
    yield from _listed(
        "Not searched", [*unread, *(NOT_SEARCHED.get(code, code) for code in proof.not_searched)]
    )


def _spelling_lines(proof: Proof) -> Iterator[str]:
    for how, n_rows in proof.spellings.items():
        said = " and ".join(DIFFERENCES.get(part, part) for part in how.split(" and "))
        yield (
            f"{counted(n_rows, 'row')} of an id that differs in {said} alone: not erased. If it is the same "
            "person, erase that spelling too, or add --every-spelling."
        )


def _listed(heading: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"{heading}:"
    yield from (f"  {line}" for line in lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        yield f"  and {len(lines) - MOST_LINES} more in the proof"
