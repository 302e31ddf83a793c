"""What to do after each exit status of a night: flows/README.md and every alert have it from here."""

from collections.abc import Mapping

from features.exit_statuses import ExitStatus

ADVICE: Mapping[ExitStatus, str] = {
    ExitStatus.USAGE: "correct the option or the key of the configuration that is named; then run again",
    ExitStatus.INPUT: "export the file that is named again, or restore it; then run again",
    ExitStatus.FAILURE: "keep the trace on the terminal or in its log, and report it",
    ExitStatus.RESOURCES: (
        "free some disk or memory (`metacart prune --dry-run` shows what could be removed); then run again"
    ),
    ExitStatus.ACCESS: "check owner and mode of what is named; then run again",
    ExitStatus.LOCKED: "wait for the process that is named; `metacart doctor` says since when",
    ExitStatus.TIMED_OUT: (
        "run again, which goes on after the last finished stage; if the shop has grown, raise the limit in "
        "[time_limits]; if it was stopped in the same place twice, report it"
    ),
    ExitStatus.INTERRUPTED: "run again when nobody needs the machine; the night goes on after its last stage",
    ExitStatus.TERMINATED: (
        "find who stopped it (a shutdown, the scheduler, too little memory); run again: the night goes on "
        "after its last stage"
    ),
}


def advice_for(status: int) -> str:
    """Return what to do after a status; for one of another program, to read its last lines."""
    return next((advice for known, advice in ADVICE.items() if known == status), "read the last lines")
