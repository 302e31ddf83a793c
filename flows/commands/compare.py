"""`metacart compare`: who earns most in simulated shops, in whole nights or in studies of many segments?"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, get_args

from cyclopts import App, Parameter

from features.errors import UsageError
from features.simulator.settings import WorldName
from flows.settings import LearnerName, Learning
from flows.shops import DATA

WORLDS: tuple[WorldName, ...] = get_args(WorldName)

compare = App(name="compare", result_action="return_value")


@compare.default
def nights(
    *,
    worlds: Annotated[tuple[WorldName, ...], Parameter(consume_multiple=True, negative="")] = WORLDS,
    learners: Annotated[tuple[LearnerName, ...], Parameter(consume_multiple=True, negative="")] = (),
    seeds: int = 10,
    first_seed: int = 900,
    nulls: int = 0,
    items: int | None = None,
    jobs: int = 1,
    out: Path = DATA / "compare",
) -> None:
    """Run nights of simulated shops and write a table of what every learner was truly worth.

    Parameters
    ----------
    worlds
        How segments and users differ, by default every way that the simulator knows.
    learners
        Who learns beside the pooled reward model, by default those of a night.
    seeds
        This many shops of each world.
    first_seed
        The seed of the first. Seeds from 900 to 999 are those of the committed table: tune on others.
    nulls
        This many nights more whose clicks are dealt out at random, to count false promotions.
    items
        Items of each shop's catalog, by default 300 in `personal` and 30 elsewhere.
    jobs
        Processes side by side.
    out
        Folder of outcomes and table; an interrupted run goes on from it.
    """
    from flows.simulations.night_table import nights_page
    from flows.simulations.nights import run_nights

    if seeds < 1 or jobs < 1 or nulls < 0:
        raise UsageError(
            f"Compare 1 or more seeds in 1 or more jobs, not {seeds} and {jobs}; nulls from 0 on."
        )

    def say(line: str) -> None:
        print(f"  {line}", flush=True)

    names = learners or Learning().learners
    shops = range(first_seed, first_seed + seeds)
    outcomes = run_nights(out, worlds=worlds, seeds=shops, learners=names, items=items, jobs=jobs, say=say)
    null_shops = range(first_seed, first_seed + nulls)
    of_nulls = run_nights(
        out,
        worlds=("strong",),
        seeds=null_shops,
        learners=names,
        permuted=True,
        items=items,
        jobs=jobs,
        say=say,
    )
    table = nights_page(outcomes, of_nulls)
    name = "nights" if items is None else f"nights-{items}-items"
    (out / f"{name}.md").write_text(table, encoding="utf-8")
    lines = [json.dumps(asdict(outcome), sort_keys=True) for outcome in outcomes]
    (out / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(table)


@compare.command
def studies(
    *,
    worlds: Annotated[tuple[WorldName, ...], Parameter(consume_multiple=True, negative="")] = (),
    learners: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    seeds: int = 10,
    first_seed: int = 0,
    jobs: int = 1,
    out: Path = DATA / "learners",
) -> None:
    """Judge every learner on unseen segments of simulated shops with 201 segments, by true value.

    Parameters
    ----------
    worlds
        How segments differ, by default every way that the simulator knows.
    learners
        Whom to compare, by default all.
    seeds
        This many shops of each world.
    first_seed
        The seed of the first. Seeds below 100 are those of the committed table: tune on others.
    jobs
        Processes side by side.
    out
        Folder of outcomes, ledger and table; an interrupted run goes on from it.
    """
    from flows.simulations.studies.report import write_report
    from flows.simulations.studies.run import WORLDS as STUDIED
    from flows.simulations.studies.run import ProtocolSettings, run_protocol

    if seeds < 1 or jobs < 1:
        raise UsageError(f"Compare 1 or more seeds in 1 or more jobs, not {seeds} and {jobs}.")
    settings = ProtocolSettings()
    outcomes = run_protocol(
        settings,
        out,
        worlds=worlds or STUDIED,
        seeds=range(first_seed, first_seed + seeds),
        learners=learners,
        jobs=jobs,
        say=lambda line: print(f"  {line}", flush=True),
    )
    table = write_report(settings, outcomes, out)
    print(table.read_text(encoding="utf-8"))
    print(f"table: {table}")
