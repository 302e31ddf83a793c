"""A shop's configuration drafted from its own files, written, and tried on their first lines."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from features.errors import InputDataError, UsageError, closed
from features.sources.propose import HEAD, Proposal, log_files, proposals
from flows.commands.draft_report import draft_report, trial_table
from flows.commands.trial_load import TrialTerms, trial_load
from flows.settings import read_settings, refuse_no_configuration
from flows.shops import DATA, EXPLORATION, FILES, write_config


def write(path: Path, sources: Sequence[Path], *, append: bool, exploration: float = EXPLORATION) -> None:
    """Write a configuration whose `[[files]]` are drafted from files and folders, and print what to check.

    append: add to an existing configuration the files that it does not name yet.
    exploration: share of traffic that may be explored, of a new configuration.

    Raises UsageError where the configuration exists already, or with `append` does not exist;
    InputDataError where a file can't be read or none shows a log.
    """
    if path.exists() and not append:
        raise UsageError(
            f"{path} exists and was not changed. Name another file, add to it by --append, or move it away."
        )
    files = log_files(sources)
    said = _existing(path) if append else {}
    folder = _logs_of(path, said) if append else _shared_folder(files)
    outside = [file for file in files if not file.resolve().is_relative_to(folder.resolve())]
    if outside:
        raise UsageError(f"{outside[0]} is outside of {folder}, the folder of the logs; put it there first.")
    known = _named_already(folder, said.get("files", ()))
    new = [file for file in files if file.resolve() not in known]
    if not new:
        raise UsageError(f"{path} names {files[0]} already, and all the other files too; nothing was added.")
    inside = [folder / file.resolve().relative_to(folder.resolve()) for file in new]
    found, refusals = proposals(inside, folder)
    drafted = [proposal for proposal in found if proposal.draft.logs]
    if not drafted:
        seen = [f"{proposal.path}: {'; '.join(proposal.draft.remarks)}" for proposal in found]
        raise InputDataError(f"{'. '.join([*seen, *refusals])}. Nothing was written.")
    text = "\n".join(proposal.toml() for proposal in drafted)
    if append:
        path.write_text(f"{path.read_text(encoding='utf-8')}\n{HEAD}\n{text}", encoding="utf-8")
    else:
        kind = FILES | {"currency_code": _currency(drafted)}
        write_config(path, kind, name=_shop_name(folder), logs=folder, data=DATA, exploration=exploration)
        path.write_text(f"{path.read_text(encoding='utf-8')}\n{HEAD}\n{text}", encoding="utf-8")
    logs = dict.fromkeys(log.log for proposal in drafted for log in proposal.draft.logs)
    counted = "1 file" if len(new) == 1 else f"{len(new)} files"
    print(f"{path} is {'added to' if append else 'written'}: {', '.join(logs)} from {counted}.")
    if not append:
        print(explored(exploration))
    trials = list(trial_load(folder, tomllib.loads(text)["files"]))
    for alike in _named_alike(inside, folder):
        print(f'Other files have similar names: path = "{alike}" would take them all.')
    for refusal in refusals:
        print(f"Left out: {refusal}")
    print("\n".join(draft_report(found, trials, str(path))))


def explored(exploration: float) -> str:
    """Return the line that says what a new shop explores, and where that is changed.

    >>> explored(0.1)
    '[learning] exploration = 0.1: 10 % of lists are drawn at random, as evidence for later nights.'
    """
    return (
        f"[learning] exploration = {exploration:g}: {100 * exploration:g} % of lists are drawn at random, as "
        "evidence for later nights."
    )


def check(path: Path) -> None:
    """Try the `[[files]]` of a configuration on the first lines of their files, and print the result.

    Raises UsageError where the configuration is missing or wrong.
    """
    said, settings = _existing(path), read_settings(path, is_draft=True)
    terms = TrialTerms(settings.shop.first_day, settings.limits.of_files)
    trials = list(trial_load(settings.shop.logs, said.get("files", ()), terms))
    print("\n".join(trial_table(trials)).lstrip("\n"))


def _existing(path: Path) -> dict[str, Any]:
    refuse_no_configuration(path, f"metacart init {path} --from FILE")
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: {closed(str(error))}") from error
    source = said.get("shop", {}).get("source")
    if source != "files":
        raise UsageError(f"{path} has shop.source = {source!r}; [[files]] tables belong to source = 'files'.")
    return said


def _logs_of(path: Path, said: Mapping[str, Any]) -> Path:
    return path.resolve().parent / str(said.get("shop", {}).get("logs", "."))


def _shared_folder(files: Sequence[Path]) -> Path:
    """Return the innermost folder that holds all files."""
    shared = Path(os.path.commonpath([file.resolve().parent for file in files]))
    # As the user wrote it, where that is the same place: readers know it by that name.
    return files[0].parent if files[0].parent.resolve() == shared else shared


def _named_already(folder: Path, tables: Sequence[Mapping[str, Any]]) -> set[Path]:
    return {path.resolve() for table in tables for path in folder.glob(str(table.get("path", "")) or "-")}


def _named_alike(files: Sequence[Path], folder: Path) -> list[str]:
    """Return patterns for files of the folder whose names differ from one of these only in digits."""
    found: dict[str, None] = {}
    for file in files:
        pattern = re.sub(r"\d+", "*", file.name)
        others = [other for other in file.parent.glob(pattern) if other not in files]
        if any(re.sub(r"\d+", "*", other.name) == pattern for other in others):
            found[(file.parent / pattern).relative_to(folder).as_posix()] = None
    return list(found)


def _shop_name(folder: Path) -> str:
    """Return the folder's name as the name of a shop: lower-case letters, digits, - and _."""
    return re.sub(r"[^a-z0-9_-]+", "-", folder.resolve().name.lower()).strip("-_") or "shop"


def _currency(drafted: Sequence[Proposal]) -> str:
    """Return the currency of all files that have one; the default where they differ or have none."""
    codes = {proposal.draft.currency_code for proposal in drafted} - {None}
    return str(codes.pop()) if len(codes) == 1 else FILES["currency_code"]
