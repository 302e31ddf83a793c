"""Failures: what a run that ended with an error says, and with which exit status."""

import traceback
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputDataError, MetacartError
from features.exit_statuses import ExitStatus
from features.machine_faults import is_damage, machine_fault
from flows.code_version import PACKAGES
from flows.interruption import Stop


@dataclass(frozen=True)
class Failure:
    """The exit status of a failed run, and the sentence about it on the terminal.

    inside: of an error in metacart, its class and its place; empty for all others. The text of such an error
    may quote a line of a log, so only these two leave the machine.
    """

    exit_status: int
    sentence: str
    inside: str = ""

    @property
    def sentence_for_mail(self) -> str:
        """The sentence, without the text of an error that nobody foresaw."""
        if not self.inside:
            return self.sentence
        return (
            f"{self.inside}: this is an error in metacart, not in the logs. Its text is on the terminal, or "
            "in the log of the run: it is not repeated here, since it may quote a line of a log."
        )


def failure_of(error: BaseException) -> Failure:
    """Return what an error means for a reader."""
    if isinstance(error, MetacartError):
        return Failure(error.exit_status, str(error))
    if known := machine_fault(error) or _damaged_warehouse(error):
        return Failure(known.exit_status, str(known))
    return Failure(
        ExitStatus.FAILURE,
        f"{type(error).__name__}: {error} This is an error in metacart, not in your logs: the trace above "
        "shows where. Published nights are unchanged.",
        inside=f"{type(error).__name__}{_place(error)}",
    )


def failure_by(stop: Stop) -> Failure:
    """Return what it means that a run was stopped."""
    return Failure(stop.exit_status, f"{stop.sentence}.")


def _damaged_warehouse(error: BaseException) -> InputDataError | None:
    if not is_damage(error):
        return None
    return InputDataError(
        f"The shop's warehouse is damaged. Restore it, or move it away and load the logs again. {error}"
    )


def _place(error: BaseException) -> str:
    """Return the innermost line of metacart that an error has passed."""
    root = Path(__file__).parents[2]
    packages = [root / name for name in PACKAGES]
    frames = traceback.extract_tb(error.__traceback__)
    # Libraries can lie in the same folder, where metacart is installed.
    passed = [frame for frame in frames if any(map(Path(frame.filename).is_relative_to, packages))]
    if not passed:
        return ""
    return f" at {Path(passed[-1].filename).relative_to(root)}, line {passed[-1].lineno}"
