"""`metacart loop`: nights and days of the demo shop in turn, by true value."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from features.errors import UsageError
from features.simulator.settings import WorldName
from flows.shops import DATA


def loop(
    *,
    nights: int = 20,
    users: int = 600,
    world: Annotated[tuple[WorldName, ...], Parameter(consume_multiple=True, negative="")] = ("drift",),
    ways: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    seeds: int = 1,
    rival_seeds: int | None = None,
    first_seed: int = 0,
    jobs: int = 1,
    out: Path = DATA / "loop",
) -> None:
    """Let what each night publishes act on the next day, and compare what is served by its true value.

    Parameters
    ----------
    nights
        Nights of each shop, after two weeks of its first policies.
    users
        Number of users of each shop.
    world
        The simulated worlds.
    ways
        metacart, with experiments on half of the users; no_exploration, the same without exploring and
        experiments; pooled, a pooled model that is fitted anew every night, with as much exploring; thompson,
        Thompson sampling by segment and item. By default all.
    seeds
        Number of shops of each world.
    rival_seeds
        Number of shops of each world for the other ways than metacart, by default as many.
    first_seed
        Seed of the first shop.
    jobs
        Number of parallel processes.
    out
        Folder of shops and results: loop.html, loop.md and days.parquet. An interrupted run with the same
        folder continues.
    """
    import polars as pl

    from flows.simulations.loop.outcome import loop_outcome
    from flows.simulations.loop.run import WAYS, run_loops
    from flows.simulations.loop.table import as_markdown, loop_table
    from reports.pages.loop import goals_markdown, write_loop

    unknown = sorted(set(ways) - set(WAYS))
    rivals = seeds if rival_seeds is None else rival_seeds
    if min(seeds, rivals, jobs, nights, users) < 1 or unknown:
        asked = f"ways of {', '.join(WAYS)}, not {', '.join(unknown)}" if unknown else "1 or more of each"
        raise UsageError(f"A loop takes nights, users, seeds and jobs from 1 on: ask for {asked}.")
    days = run_loops(
        out,
        worlds=world,
        seeds=range(first_seed, first_seed + seeds),
        rival_seeds=range(first_seed, first_seed + rivals),
        ways=[way for way in WAYS if not ways or way in ways],
        nights=nights,
        users=users,
        jobs=jobs,
        print_line=lambda line: print(f"  {line}", flush=True),
    )
    pl.DataFrame([vars(day) for day in days], infer_schema_length=None).write_parquet(out / "days.parquet")
    outcome = loop_outcome(days, users=users)
    write_loop(outcome, out / "loop.html")
    text = f"{goals_markdown(outcome)}\n{as_markdown(loop_table(days))}"
    (out / "loop.md").write_text(text, encoding="utf-8")
    print(text)
