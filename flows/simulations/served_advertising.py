"""What the published creatives and budgets of a night make of the next day of its simulated shop."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.errors import UsageError
from features.segments import EVERYONE, EVERYONE_ELSE
from features.simulator.advertising import CAMPAIGNS, CHANNELS
from features.simulator.people import DEVICES
from features.simulator.world import World

CREATIVES, BUDGETS = "out_ad_targeting", "out_budget_allocation"


def served_creatives(world: World, run_folder: Path) -> NDArray[np.float64] | None:
    """Return the probability of each creative given its campaign and channel, float64[G, C], by segment.

    The table has the creatives of a channel, over all campaigns; which campaign an ad is for is not its
    choice here. Where it has none for a campaign, the shop's own probabilities stay. None where no table is
    published. Raises UsageError where its segments are made of traits that no ad of the shop has.
    """
    path = run_folder / f"{CREATIVES}.parquet"
    if not path.is_file():
        return None
    rows, ads = pl.read_parquet(path), world.advertising
    table = {
        segment_id: dict(of_segment.select("creative_id", "probability").iter_rows())
        for (segment_id,), of_segment in rows.group_by("segment_id")
    }
    chances = np.zeros((len(world.people.segments), len(ads.ids)))
    for place in range(len(chances)):
        region, device = divmod(place, len(DEVICES))
        traits = {"region": world.people.regions[region], "device": DEVICES[device]}
        found = table.get(segment_of(traits, table, path), {})
        chances[place] = [found.get(creative, 0.0) for creative in ads.ids.ids]
    for cell in np.unique(ads.cell):
        mine = ads.cell == cell
        total = chances[:, mine].sum(axis=1, keepdims=True)
        of_cell = np.divide(chances[:, mine], total, where=total > 0, out=np.zeros_like(chances[:, mine]))
        chances[:, mine] = np.where(total > 0, of_cell, ads.propensity[mine])
    return chances


def segment_of(traits: dict[str, str], segment_ids: Collection[str], path: Path) -> str:
    """Return the segment of somebody with these traits: the one that names most of them.

    Raises UsageError where a segment names another trait. path: of the table, for the message.

    >>> known = ["region=north|device=*", "region=north|device=mobile", "everyone_else"]
    >>> segment_of({"region": "north", "device": "tablet"}, known, Path("table"))
    'region=north|device=*'
    >>> segment_of({"region": "south", "device": "tablet"}, known, Path("table"))
    'everyone_else'
    """
    best, most = EVERYONE if EVERYONE in segment_ids else EVERYONE_ELSE, 0
    for segment_id in segment_ids:
        if segment_id in (EVERYONE, EVERYONE_ELSE):
            continue
        named = dict(part.split("=", 1) for part in segment_id.split("|"))
        named = {trait: value for trait, value in named.items() if value != "*"}
        if unknown := sorted(named.keys() - traits.keys()):
            raise UsageError(
                f"{path} has segments by {', '.join(unknown)}, which no ad of the simulated shop has. Make "
                f"segments.by of {' and '.join(traits)}, and run the night again."
            )
        if len(named) > most and all(traits[trait] == value for trait, value in named.items()):
            best, most = segment_id, len(named)
    return best


def served_spend(world: World, run_folder: Path) -> NDArray[np.float64] | None:
    """Return the planned spend of each cell in cents, float64[N]; the usual one where the table has no plan.

    None where no table is published. Raises UsageError for a cell that the shop does not have.
    """
    path = run_folder / f"{BUDGETS}.parquet"
    if not path.is_file():
        return None
    response = world.spend_response
    planned = response.usual_spend_cents.copy()
    rows = pl.read_parquet(path)
    names = rows.select(pl.concat_str("campaign_id", "channel", "segment_id", separator="/")).to_series()
    if unknown := sorted(set(names) - set(response.cells.ids)):
        raise UsageError(
            f"{path} plans for {unknown[0]}, which the simulated shop does not have: its campaigns are "
            f"{', '.join(CAMPAIGNS)}, its channels {', '.join(CHANNELS)}, its segments regions."
        )
    planned[response.cells.positions(names.to_list())] = rows["spend_recommended_cents"].to_numpy()
    return planned
