"""The `metacart` command: the night and its stages from a shell, without a server.

Exit statuses: features/exit_statuses.py.

Stages are imported where they are used: `metacart init` should not wait for torch.
"""

import logging
import os
import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, CycloptsError, Parameter

from features.exit_statuses import ExitStatus
from features.simulator.settings import WorldName
from flows.attempts.failures import failure_of
from flows.attempts.freshness import write_freshness
from flows.commands.champions import champions, pin, rollback, unpin
from flows.commands.compare import compare, studies
from flows.commands.completion import completion_of
from flows.commands.days import Day
from flows.commands.doctor import doctor
from flows.commands.help_page import arrange
from flows.commands.json_flag import JsonFlag
from flows.commands.link import link
from flows.commands.loop import loop
from flows.commands.new_shops import fetch, init, simulate
from flows.commands.nights import prune, unpublish, verify
from flows.commands.ope.command import ope
from flows.commands.plan.command import plan
from flows.commands.serve import serve, service
from flows.commands.stage_lines import LogJsonFlag, one_stage
from flows.interruption import Stop, stopping
from flows.lasting_output import outlive_readers
from flows.settings import read_settings
from flows.shops import CONFIG, DATA
from flows.workspace import Workspace

if TYPE_CHECKING:
    from flows.erasure.proof import Proof

# Commands whose work a second start continues; the others start anew and have changed nothing.
KEEPING = frozenset(
    {"run", "ingest", "learn", "evaluate", "decide", "publish", "erase", "compare", "loop", "serve"}
)

app = App(
    name="metacart",
    help="Turn a shop's nightly logs into tomorrow's decisions, with honest evidence for each.",
    version=lambda: version("metacart"),
    result_action="return_value",
)
data = App(name="data", help="Fetch public logs to run on.", result_action="return_value")
app.command(data)
app.command(simulate)
app.command(init)
app.command(ope)
app.command(plan)
app.command(compare)
app.command(verify)
app.command(unpublish)
app.command(prune)
app.command(link)
app.command(loop)
app.command(champions)
app.command(rollback)
app.command(pin)
app.command(unpin)
app.command(serve)
app.command(service)
app.command(doctor)
app.command(completion_of(app), name="--install-completion")
data.command(fetch)


@app.command
def run(
    *,
    config: Path = CONFIG,
    as_of: Day | None = None,
    first: Annotated[Day | None, Parameter(name="--from")] = None,
    last: Annotated[Day | None, Parameter(name="--to")] = None,
    catch_up: Annotated[tuple[int, ...] | None, Parameter(consume_multiple=(0, 1), negative="")] = None,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    as_json: JsonFlag = False,
    log_json: LogJsonFlag = False,
) -> None:
    """Run the whole night of one shop and publish its tables and report.

    Parameters
    ----------
    config
        The shop's configuration file.
    as_of
        The last day whose logs count; by default the newest day in the logs that is over.
    first
        Run a night for every day from this one, the oldest first; needs --to.
    last
        The last of these days.
    catch_up
        Run a night for every day since the newest published night, the oldest first, and stop at the first
        that fails. More than 14 missed days are refused, or more than the number that is named.
    dry_run
        Only say which nights would run, or which files one would load; read no line of them and write
        nothing.
    """
    from flows.commands.run_nights import AskedNights, run_nights

    asked = AskedNights(config, as_of, first, last, catch_up)
    run_nights(asked, dry_run=dry_run, as_json=as_json, log_json=log_json)


@app.command
def ingest(*, config: Path = CONFIG, as_of: Day | None = None, log_json: LogJsonFlag = False) -> None:
    """Load new log files and build the warehouse as the night of AS_OF knows it."""
    from flows.commands.printed_quality import quality_lines
    from flows.commands.spoken import since
    from flows.stages.ingest import ingest as run_ingest

    workspace = Workspace(read_settings(config))
    with one_stage(workspace, "ingest", log_json):
        night = run_ingest(workspace, as_of)
    print(f"{night.run_id}: logs {since(night.data_from, night.data_to)}")
    for line in quality_lines(workspace.night_folder(night.run_id).table("out_data_quality")):
        print(f"  {line}")


@app.command
def learn(*, config: Path = CONFIG, log_json: LogJsonFlag = False) -> None:
    """Build the tasks of the ingested night and train every learner on them."""
    from flows.commands.progress_bar import progress_bar
    from flows.stages.learn import learn as run_learn

    workspace = Workspace(read_settings(config))
    with one_stage(workspace, "learn", log_json) as lines, progress_bar() as listener:
        run_learn(workspace, workspace.recall(), lines.listener(listener))


@app.command
def evaluate(
    *,
    config: Path = CONFIG,
    protocol: Annotated[bool, Parameter(negative="")] = False,
    worlds: Annotated[tuple[WorldName, ...], Parameter(consume_multiple=True, negative="")] = (),
    learners: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    seeds: int = 10,
    first_seed: int = 0,
    jobs: int = 1,
    out: Path = DATA / "learners",
    log_json: LogJsonFlag = False,
) -> None:
    """Evaluate the learned policies on the holdout and write the verdicts.

    Parameters
    ----------
    protocol
        The old name of `metacart compare studies`, with the options of that command.
    """
    if protocol:
        print("`metacart evaluate --protocol` is now called `metacart compare studies`.", file=sys.stderr)
        studies(worlds=worlds, learners=learners, seeds=seeds, first_seed=first_seed, jobs=jobs, out=out)
        return
    from flows.stages.evaluate import evaluate as run_evaluate

    workspace = Workspace(read_settings(config))
    with one_stage(workspace, "evaluate", log_json):
        run_evaluate(workspace, workspace.recall())


@app.command
def decide(*, config: Path = CONFIG, log_json: LogJsonFlag = False) -> None:
    """Write tomorrow's recommendation, targeting and budget tables."""
    from flows.stages.decide import decide as run_decide

    workspace = Workspace(read_settings(config))
    with one_stage(workspace, "decide", log_json):
        run_decide(workspace, workspace.recall())


@app.command
def publish(*, config: Path = CONFIG, log_json: LogJsonFlag = False) -> None:
    """Publish the night's tables and report and make them the current ones."""
    from flows.stages.publish import publish as run_publish

    workspace = Workspace(read_settings(config))
    with one_stage(workspace, "publish", log_json):
        published = run_publish(workspace, workspace.recall())
        write_freshness(workspace.shop, workspace.nights)
    print(f"report: {published.report}")


@app.command
def erase(
    *,
    user: str,
    reason: str,
    on: Day,
    every_spelling: Annotated[bool, Parameter(negative="")] = False,
    config: Path = CONFIG,
) -> None:
    """Erase a person from all rows and files, and write a proof without the person's id.

    Parameters
    ----------
    user
        The shop's own id of the person, spelled as in its logs.
    reason
        Reason for the proof, such as a request or the end of a contract.
    on
        Day of the erasure in the proof.
    every_spelling
        Also erase ids that differ only in blanks around them, letter case or Unicode form.
    """
    from flows.commands.printed_erasure import erasure_lines
    from flows.erasure.erase import erase as run_erase
    from flows.erasure.erase import erase_every_spelling
    from flows.erasure.proof import proof_path

    workspace = Workspace(read_settings(config))
    with workspace.locked():
        proofs: Sequence[Proof] = (
            erase_every_spelling(workspace, user, reason=reason, erased_on=on)
            if every_spelling
            else [run_erase(workspace, user, reason=reason, erased_on=on)]
        )
    for proof in proofs:
        for line in erasure_lines(proof, proof_path(workspace, proof)):
            print(line)


arrange(app)


def execute(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status; an error is one line on standard error.

    A signal ends the command within seconds, with status 130 (SIGINT) or 143 (SIGTERM), and a time limit
    with 124.
    """
    stop = _stop_of(arguments)
    with stopping(stop):
        try:
            status: int | None = app(arguments, exit_on_error=False, print_error=False)
        # An interrupted query or worker raises its own error: the signal is the cause, not what it broke.
        except BaseException as error:  # noqa: BLE001
            if not stop.is_asked:
                return _status_of(error)
            print(f"metacart: {stop.sentence}", file=sys.stderr)
            return stop.exit_status
    return status or ExitStatus.DONE


def _stop_of(arguments: Sequence[str]) -> Stop:
    """Return what a signal would interrupt; an erasure's command names a person, so it is not repeated."""
    command = arguments[0] if arguments else "metacart"
    again = shlex.join(["metacart", *arguments]) if command != "erase" else "metacart erase"
    return Stop(command, again, keeps=command in KEEPING)


def _status_of(error: BaseException) -> int:
    """Say what went wrong and return the exit status for it; raises what is no failure, such as an exit."""
    try:
        raise error
    except CycloptsError:
        print(f"metacart: {error} See metacart --help.", file=sys.stderr)
        return ExitStatus.USAGE
    # Of an error that nobody foresaw the trace is logged; the shell gets a sentence in any case.
    except Exception as raised:
        failure = failure_of(raised)
        if failure.inside:
            logging.getLogger("metacart").exception("a failure inside")
        print(f"metacart: {failure.sentence}", file=sys.stderr)
        return failure.exit_status


def main() -> None:
    """Run the `metacart` command and exit with its status."""
    outlive_readers()
    try:
        status = execute(sys.argv[1:])
    except KeyboardInterrupt:
        # A second signal while the first one was being answered.
        status = ExitStatus.INTERRUPTED
    if status in {ExitStatus.INTERRUPTED, ExitStatus.TERMINATED, ExitStatus.TIMED_OUT}:
        # Files and children are closed. The end of the libraries may take half a minute.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    main()
