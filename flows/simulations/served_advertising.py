"""What the published creatives and budgets of a night make of the next day of its simulated shop."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.errors import UsageError
from features.segments import Segmentation
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
    people = world.people
    traits = pl.DataFrame(
        {"region": np.repeat(people.regions, len(DEVICES)), "device": DEVICES * len(people.regions)}
    )
    found = [table.get(segment_id, {}) for segment_id in segmentation_of(table, traits, path).assign(traits)]
    chances = np.array([[of_segment.get(creative, 0.0) for creative in ads.ids.ids] for of_segment in found])
    for cell in np.unique(ads.cell):
        mine = ads.cell == cell
        total = chances[:, mine].sum(axis=1, keepdims=True)
        of_cell = np.divide(chances[:, mine], total, where=total > 0, out=np.zeros_like(chances[:, mine]))
        chances[:, mine] = np.where(total > 0, of_cell, ads.propensity[mine])
    return chances


def segmentation_of(segment_ids: Collection[str], traits: pl.DataFrame, path: Path) -> Segmentation:
    """Return how the segments of a table are assigned, by their names.

    Raises UsageError where they are made of other traits than these columns. path: for the message.
    """
    labels = [[part.split("=", 1) for part in name.split("|")] for name in segment_ids if "=" in name]
    by = tuple(trait for trait, _ in labels[0]) if labels else ()
    if unknown := [trait for trait in by if trait not in traits.columns]:
        raise UsageError(
            f"{path} has segments by {', '.join(unknown)}, which no ad of the simulated shop has. Make "
            f"segments.by of {' and '.join(traits.columns)}, and run the night again."
        )
    kept: list[set[str]] = [set() for _ in range(len(by) + 1)]
    for label in labels:
        kept[sum(value != "*" for _, value in label)].add("|".join(map("=".join, label)))
    return Segmentation(by, tuple(map(frozenset, kept)), ())


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
