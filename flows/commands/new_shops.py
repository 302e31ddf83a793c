"""Commands that start a shop: logs fetched or simulated, and a first configuration."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from features.errors import UsageError
from features.simulator.settings import WorldName, WorldSettings
from features.sources.adapters import ADAPTERS
from flows.commands import drafts
from flows.shops import CONFIG, DATA, EXPLORATION, OPEN_BANDIT, SIMULATED, starting_values, write_config


def fetch(
    dataset: Annotated[str, Parameter(help="The data set; only open_bandit so far.")],
    *,
    full: str | None = None,
    out: Path | None = None,
) -> None:
    """Fetch a public data set and write a configuration for it.

    Parameters
    ----------
    full
        URL or path of the published archive, instead of the sample that comes from PyPI.
    out
        Folder of the logs; by default data/raw/DATASET.
    """
    from features.sources import fetch_open_bandit

    if dataset != "open_bandit":
        raise UsageError(f"{dataset} is not a known data set. Known: open_bandit.")
    folder = out or DATA / "raw" / dataset
    fetch_open_bandit.fetch(folder, full=full)
    config = folder / "metacart.toml"
    write_config(config, OPEN_BANDIT, name=dataset, logs=folder, data=DATA)
    print(f"{dataset} is in {folder}; next: metacart run --config {config}")


def simulate(
    *,
    out: Path,
    users: int = 2000,
    days: int | None = None,
    seed: int = 0,
    world: WorldName = "strong",
    items: int = 30,
    slots: int = 3,
    dirt: float = 0.0,
    stray_quote: bool = False,
    regions: int = 8,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    serve: Path | None = None,
) -> None:
    """Write nights of logs of the demo shop, whose true values are known, and a configuration for it.

    With --serve, write the next day into the logs of such a shop, or --days of them, on which a published
    night acts.

    Parameters
    ----------
    out
        Folder of the logs; its name becomes the name of the shop.
    days
        Days of logs, by default 28; with --serve the days on which the night's tables act, by default 1.
    world
        How segments differ: homogeneous, mild, strong, nonlinear, drift, or shift, where tastes are replaced
        on day 22. In personal segments don't differ, but each user's history shows a taste; more items (300)
        make that matter more. In null no item is better than another.
    items
        Number of items in the catalog.
    slots
        Number of slots in a slate; nights accept at most 3.
    dirt
        Share of dirty lines: duplicates, late rows, and a quarter of them broken. Above 0.04 the night
        stops at night.max_rejected_share = 0.01.
    stray_quote
        Plant one unclosed quotation mark, because of which a whole file must be refused.
    regions
        Number of regions; with 3 devices in each, there are three times as many segments.
    overwrite
        Replace the logs and the configuration of a simulated shop that is in the folder already.
    serve
        Folder of the shop's newest published night: draw the day after it, with its lists and creatives
        shown and their propensities logged, and its budgets spent. With --days N the same tables act on N
        days in turn. Other options than --out and --days don't count.
    """
    from features.simulator.shop import simulate as write_logs

    if serve is not None:
        from flows.simulations.served_day import draw_served_days

        print(draw_served_days(out, serve, 1 if days is None else days))
        return

    config = out / "metacart.toml"
    if out.is_dir() and any(out.iterdir()) and not overwrite:
        raise UsageError(
            f"{out} is not empty, and nothing was changed. Name another folder, or replace the simulated "
            "shop in it, logs and configuration, by --overwrite."
        )
    settings = WorldSettings(
        users=users,
        days=28 if days is None else days,
        seed=seed,
        world=world,
        items=items,
        slots=slots,
        dirt=dirt,
        stray_quote=stray_quote,
        regions=regions,
    )
    shop = write_logs(settings, out)
    write_config(config, SIMULATED, name=out.resolve().name.lower(), logs=out, data=DATA, overwrite=overwrite)
    print(f"{shop} is in {out}; next: metacart run --config {config}")


def init(
    path: Path = CONFIG,
    *,
    source: str = "open_bandit",
    logs: Path | None = None,
    from_files: Annotated[list[Path] | None, Parameter(name="--from", consume_multiple=True)] = None,
    append: bool = False,
    check: bool = False,
    explore: Annotated[float | None, Parameter(name="--explore")] = None,
) -> None:
    """Write a configuration with every key explained.

    Parameters
    ----------
    path
        The file to write; an existing file is not changed.
    source
        The form of the logs: open_bandit, simulated, rees46, retailrocket, online_retail, otto or
        criteo_attribution.
    logs
        Folder of the logs; by default data/raw/SOURCE.
    from_files
        The shop's own files or their folder: read them, draft a mapping with blanks to fill in, and try it on
        their first 1,000 lines.
    append
        Add the tables of these files to an existing configuration; its own tables are not changed.
    check
        Try the mapping of an existing configuration on the first 1,000 lines of its files; write nothing.
    explore
        The share of traffic that may be explored, by default 0.1: one list in ten is drawn at random, so
        that later nights can judge lists that nobody has shown yet.
    """
    if explore is not None and (check or append):
        raise UsageError(
            f"--explore is for a new configuration: in {path}, change `exploration` of [learning] instead."
        )
    share = EXPLORATION if explore is None else explore
    if from_files and path == CONFIG and from_files[-1].suffix == ".toml":
        *from_files, path = from_files
    if check:
        drafts.check(path)
    elif from_files:
        drafts.write(path, from_files, append=append, exploration=share)
    else:
        _init_kind(path, source, logs, share)


def _init_kind(path: Path, source: str, logs: Path | None, exploration: float) -> None:
    if source not in ADAPTERS:
        raise UsageError(
            f"{source} is not a known source. Choose from: {', '.join(ADAPTERS)}; for files of your own give "
            "--from."
        )
    folder = logs or DATA / "raw" / source
    values = starting_values(source)
    if not write_config(path, values, name=source, logs=folder, data=DATA, exploration=exploration):
        raise UsageError(f"{path} exists and was not changed. Name another file, or move it away first.")
    print(drafts.explored(exploration))
    print(f"{path} is written; next: check it, then metacart run --config {path}")
