"""Stages that speak in the flow run's log, and say so when a signal ends them."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from prefect import get_run_logger
from prefect.exceptions import TerminationSignal

from features.errors import TimeLimitError
from flows.interruption import TIME_IS_UP, active, insisting, leave_at_once
from flows.stage_log import LOG_JSON, StageReport, json_line, reported
from flows.workspace import Workspace


@contextmanager
def spoken(workspace: Workspace, stage: str) -> Iterator[None]:
    """Log the begin of a stage, and at its end rows, verdicts, seconds and memory; JSON lines on request.

    A query that a signal interrupts raises an error of its own; TerminationSignal is raised in its place, so
    that the run counts as ended by a signal. Where a time limit has sent it, TimeLimitError is raised, and
    the run counts as failed.
    """
    logger, as_json = get_run_logger(), bool(os.environ.get(LOG_JSON))

    def report(done: StageReport) -> None:
        logger.info(done.json_line if as_json else done.line)

    logger.info(json_line("begin", shop=workspace.shop, stage=stage) if as_json else f"{stage} begins")
    with insisting(_leave) as watch:
        try:
            with reported(workspace, stage, report):
                yield
        except BaseException as error:
            if watch.signum is None and not isinstance(error, TerminationSignal):
                raise
            stop = active()
            if watch.signum == TIME_IS_UP and stop is not None:
                # Prefect logs the sentence with the failure.
                raise TimeLimitError(f"{stop.sentence}.") from error
            words = f"stopped by a signal during {stage}; what was done is kept; start the run again"
            logger.warning(json_line("stopped", shop=workspace.shop, stage=stage) if as_json else words)
            raise TerminationSignal(signal=watch.signum or signal.SIGTERM) from error


def _leave(signum: int) -> None:
    """End a process that a time limit does not stop; whoever has sent another signal kills it himself."""
    stop = active()
    if signum == TIME_IS_UP and stop is not None:
        stop.signum = signum
        leave_at_once(stop)
