"""`metacart compare`: the true value of every learner in simulated shops, in whole nights or in studies."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from features.errors import UsageError
from features.simulator.settings import SINGLE_NIGHT_WORLDS, WorldName
from flows.settings import LearnerName, Learning
from flows.shops import DATA

compare = App(name="compare", result_action="return_value")


@compare.default
def nights(
    *,
    worlds: Annotated[
        tuple[WorldName, ...], Parameter(consume_multiple=True, negative="")
    ] = SINGLE_NIGHT_WORLDS,
    learners: Annotated[tuple[LearnerName, ...], Parameter(consume_multiple=True, negative="")] = (),
    seeds: int = 10,
    first_seed: int = 900,
    nulls: int = 0,
    items: int | None = None,
    jobs: int = 1,
    out: Path = DATA / "compare",
) -> None:
    """Run nights of simulated shops and write a table of the true value of every learner.

    Parameters
    ----------
    worlds
        The simulated worlds, which differ in how segments and users differ; by default all but shift and
        null, which are made for `metacart loop`.
    learners
        Learners besides the pooled reward model, by default those of a night.
    seeds
        Number of shops of each world.
    first_seed
        Seed of the first shop. Seeds from 900 to 999 belong to the committed table: tune on other seeds.
    nulls
        Number of additional nights whose clicks are assigned at random, to count false promotions.
    items
        Number of items in each shop's catalog, by default 300 in `personal` and 30 in the other worlds.
    jobs
        Number of parallel processes.
    out
        Folder of outcomes and table. An interrupted run with the same folder continues.
    """
    from flows.simulations.night_table import nights_page
    from flows.simulations.nights import run_nights

    if seeds < 1 or jobs < 1 or nulls < 0:
        raise UsageError(
            f"Compare 1 or more seeds in 1 or more jobs, not {seeds} and {jobs}; nulls from 0 on."
        )
    if "null" in worlds:
        raise UsageError(
            "In world null nothing can be gained, so a learner has no share of it. Count its promotions by "
            "metacart loop --world null, or ask for --nulls."
        )
    names = learners or Learning().learners
    shops = range(first_seed, first_seed + seeds)
    outcomes = run_nights(
        out,
        worlds=worlds,
        seeds=shops,
        learners=names,
        items=items,
        jobs=jobs,
        print_line=_print_indented,
    )
    null_shops = range(first_seed, first_seed + nulls)
    of_nulls = run_nights(
        out,
        worlds=("strong",),
        seeds=null_shops,
        learners=names,
        permuted=True,
        items=items,
        jobs=jobs,
        print_line=_print_indented,
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
    """Evaluate every learner by true value, on unseen segments of simulated shops with 201 segments.

    Parameters
    ----------
    worlds
        The simulated worlds, which differ in how segments differ: all of `metacart compare` but personal.
    learners
        Learners to compare, by default all.
    seeds
        Number of shops of each world.
    first_seed
        Seed of the first shop. Seeds below 100 belong to the committed table: tune on other seeds.
    jobs
        Number of parallel processes.
    out
        Folder of outcomes, ledger and table. An interrupted run with the same folder continues.
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
        print_line=_print_indented,
    )
    table = write_report(settings, outcomes, out)
    print(table.read_text(encoding="utf-8"))
    print(f"table: {table}")


def _print_indented(line: str) -> None:
    print(f"  {line}", flush=True)
