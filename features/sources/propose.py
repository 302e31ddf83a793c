"""A draft of the `[[files]]` tables for files without a description, to be corrected by hand."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import takewhile
from pathlib import Path, PurePath

from features.contracts.logs import LOGS
from features.errors import InputDataError, refuse_missing
from features.sources.draft import FileDraft, comment
from features.sources.draft_file import file_lines
from features.sources.draft_known import Seen
from features.sources.draft_log import draft_log, odd_words
from features.sources.draft_purchases import currency_of
from features.sources.experiment_table import experiment_of, experiment_roles
from features.sources.file_form import FORMATS
from features.sources.guesses import guess_roles, looks_personal, misfits
from features.sources.likely_logs import FEEDS, likely_logs
from features.sources.sample import Column, Sample, take_sample

HEAD = """\
# A draft from the first lines of the files. Check every line; a # at its start disables a line.
# Columns of one other file, such as the day of a campaign, are joined by a line below the path:
# join = { path = "campaigns.csv", on = "campaign" }"""


@dataclass(frozen=True)
class Proposal:
    """One `[[files]]` table of the draft.

    path: the file, or a pattern for files of one form, relative to the folder of the logs.
    """

    path: str
    draft: FileDraft

    def toml(self) -> str:
        """Return the table, with its comments."""
        return self.draft.toml(self.path)


def propose(path: Path) -> str:
    """Return the commented `[[files]]` table of one file, see `proposals`."""
    [proposal], _ = proposals([path], path.parent)
    return f"{HEAD}\n{proposal.toml()}"


def proposals(paths: Sequence[Path], folder: Path) -> tuple[list[Proposal], list[str]]:
    """Return a table for each form of file, and the reasons for files without one.

    In a table each column has its guess, and a blank where a needed column is not found.

    folder: of the logs. Files whose tables would mean the same share one, by a pattern that no other file of
    the folder fits. Columns that look personal are named, without a value, and left out; no example is shown
    of a user id or of anything that might be about a person, and the examples of different columns are not
    of one line. The same files give the same text.

    Raises UsageError when the ending of a name is not a known format, InputDataError when the only file can't
    be read.
    """
    drafts: dict[object, FileDraft] = {}
    names: dict[object, list[str]] = {}
    refusals = []
    for path in paths:
        try:
            draft = _draft(path)
        except InputDataError as error:
            if len(paths) == 1:
                raise
            refusals.append(str(error))
            continue
        # Files of one form that show no log are still kept apart by their columns.
        form = (draft.meaning, () if draft.logs else draft.remarks)
        drafts.setdefault(form, draft)
        names.setdefault(form, []).append(path.relative_to(folder).as_posix())
    every = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    found = [
        Proposal(path, draft)
        for form, draft in drafts.items()
        for path in _patterns(sorted(names[form]), every)
    ]
    return found, refusals


def log_files(paths: Sequence[Path]) -> list[Path]:
    """Return the named files and those in a named folder, if their endings are known formats.

    Raises InputDataError where there is nothing at a path, or a folder holds no such file.
    """
    found: list[Path] = []
    for path in paths:
        refuse_missing(path)
        if not path.is_dir():
            found.append(path)
            continue
        inside = [
            file
            for file in sorted(path.rglob("*"))
            if file.is_file() and PurePath(file.name.removesuffix(".gz")).suffix.lower() in FORMATS
        ]
        if not inside:
            raise InputDataError(f"{path} holds no file of a known format; these are {', '.join(FORMATS)}.")
        found += inside
    return list(dict.fromkeys(found))


def _draft(path: Path) -> FileDraft:
    sample, stem = take_sample(path), path.name.split(".")[0].lower()
    roles = guess_roles(sample.columns)
    personal = [
        column for column in sample.columns if looks_personal(column) and column is not roles.get("user")
    ]
    roles = {role: column for role, column in roles.items() if column not in personal}
    roles = _of_one_list(roles)
    roles, beside = _apart_from_users(roles)
    if "user" not in roles and (address := _address(personal)):
        roles["personal_user"] = address
    public = [column for column in sample.columns if column not in personal]
    given = experiment_roles(public, roles)
    roles = given or roles
    logs = ["impressions", "events"] if given else likely_logs(roles, stem)
    experiment = experiment_of(public, roles, sample) if given else None
    seen = Seen(sample, roles, misfits(sample.columns, roles), stem, experiment)
    drafts = tuple(draft_log(log, logs, seen) for log in logs)
    return FileDraft(
        lines=tuple(file_lines(sample, roles, logs, has_arms=experiment is not None)) if logs else (),
        logs=drafts,
        remarks=(*_remarks(sample, roles, logs, personal, experiment.traits if experiment else ()), *beside),
        currency_code=currency_of(roles),
        unused=tuple(_unused(roles, logs)) if logs else (),
    )


def _of_one_list(roles: Mapping[str, Column]) -> dict[str, Column]:
    """Leave out columns in another list than the item: a row is an element of one list."""
    inside = roles["item"].inside if "item" in roles else ()
    return {role: column for role, column in roles.items() if column.inside in {(), inside}}


def _apart_from_users(roles: Mapping[str, Column]) -> tuple[dict[str, Column], list[str]]:
    """Leave out columns from the same JSON as the user id: nothing else may be read from it."""
    user = roles.get("user")
    if user is None or not (user.path or user.inside):
        return dict(roles), []
    if user.inside:
        said = f"left out: {comment(user.label)} is in the list that the rows are read from"
        return {role: column for role, column in roles.items() if role != "user"}, [said]
    beside = {role: column for role, column in roles.items() if role != "user" and column.name == user.name}
    said = f"is in the same object as {comment(user.label)}, which only user_id may read"
    kept = {role: column for role, column in roles.items() if role not in beside}
    return kept, [f"left out: {comment(column.label)} {said}" for column in beside.values()]


def _address(personal: Sequence[Column]) -> Column | None:
    """Return the personal column that could distinguish customers where no other does: the e-mail address."""
    found = (
        column
        for column in personal
        if not column.path
        and any(word in column.name.lower() for word in ("mail", "correo", "邮箱", "会员名", "昵称"))
    )
    return next(found, None)


def _remarks(
    sample: Sample,
    roles: Mapping[str, Column],
    logs: Sequence[str],
    personal: Sequence[Column],
    traits: Sequence[Column],
) -> Iterator[str]:
    if not logs:
        yield "nothing here looks like a log that metacart reads; features/README.md says what each needs"
    if "event" in roles and "events" in logs and (odd := odd_words(roles["event"])):
        words = comment(", ".join(odd), 120)
        yield f"these words of {comment(roles['event'].label)} are not events yet: {words}"
    for column in personal:
        yield f"left out, because it looks personal: {comment(column.label)}"
    used = {roles[role].label for role in _used_roles(roles, logs)}
    rest = [
        column for column in sample.columns if column.label not in used and column not in (*personal, *traits)
    ]
    if rest:
        yield f"not used: {', '.join(comment(column.label) for column in rest)}"
    for log in FEEDS:
        if log not in logs and (near := _nearly(log, roles)):
            yield near


def _unused(roles: Mapping[str, Column], logs: Sequence[str]) -> Iterator[str]:
    """Yield the names of columns that have a role, and that no line of the draft reads."""
    used = _used_roles(roles, logs)
    yield from (
        comment(column.label)
        for role, column in roles.items()
        if role not in used and role != "personal_user"
    )


def _used_roles(roles: Mapping[str, Column], logs: Sequence[str]) -> set[str]:
    """Return the roles whose columns the draft of these logs reads, for itself or beside another column."""
    used = {role for log in logs for role in FEEDS[log].values()} | {"clock", "any_id"}
    if {"impressions", "events"} <= set(logs) and "event" not in roles:
        used.add("click")
    if "purchases" in logs:
        used |= {"event", "total"}
        # Without an order, each line with its own id is one.
        used |= set() if "order" in roles else {"event_id"}
    if list(logs) == ["users"]:
        used.add("time")
    return used & roles.keys()


def _nearly(log: str, roles: Mapping[str, Column]) -> str | None:
    """Return a remark on the missing columns of a log that the file has at least half of."""
    needed = [name for name, kind in LOGS[log].columns().items() if not kind.nullable and name in FEEDS[log]]
    missing = [name for name in needed if FEEDS[log][name] not in roles]
    if not missing or len(missing) * 2 > len(needed):
        return None
    return f"no {log} here: {', '.join(missing)} not found"


def _patterns(names: Sequence[str], every: Sequence[str]) -> list[str]:
    """Return one pattern for files of one form, or their names where it would fit other files as well."""
    if len(names) == 1:
        return list(names)
    before = _ENDS_IN_DATE.sub("", _shared_start(names))
    behind = _shared_start([name[len(before) :][::-1] for name in names])[::-1]
    behind = _BEGINS_WITH_DATE.sub("", behind)
    pattern = f"{before}*{behind}"
    is_flat = not any("/" in name[len(before) : len(name) - len(behind)] for name in names)
    plain = not any(sign in before + behind for sign in "*?[]")
    fitting = [name for name in every if fnmatch(name, pattern) and name.count("/") == pattern.count("/")]
    tells_format = PurePath(behind.removesuffix(".gz")).suffix.lower() in FORMATS or behind.lower() in FORMATS
    is_exact = is_flat and plain and tells_format and set(fitting) == set(names)
    return [pattern] if is_exact else list(names)


# What files of one month have in common is a part of their dates, which those of the next month don't have.
# A number right behind a letter is a version (v2), unless it is as long as a year.
_ENDS_IN_DATE = re.compile(r"(?:(?<![A-Za-z\d])\d|(?<!\d)\d{4})[\d\-_.]*$")
_BEGINS_WITH_DATE = re.compile(r"^[\-_.\d]*\d")


def _shared_start(names: Sequence[str]) -> str:
    letters = takewhile(lambda several: len(set(several)) == 1, zip(*names, strict=False))
    return "".join(letter for letter, *_ in letters)
