"""Study shops: a simulated world as tasks for learners, without files and warehouse, and with its truth.

The logs are those that `metacart simulate` would write, split into windows, segments and contexts as in the
night. A context has what a shop knows of a user who has just signed up: attributes, device, and the region
where it can be learned. History is left out: it would hide the differences between segments.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.codes import SPLIT_CODES, Window
from features.context import expand, fit_encoder, item_columns
from features.simulator.logs import simulate_shop_night
from features.simulator.settings import WorldName, WorldSettings
from features.simulator.world import World
from features.tasks.history import AnyArray
from features.tasks.item_features import item_blocks, item_features
from features.tasks.windows import assign_windows, fit_boundaries
from flows.simulations.studies.splits import Splits, deal
from offline_rl.logged_data import Tasks

# The longest time until a click in the simulated shop.
_ATTRIBUTION = timedelta(hours=24)
_SUPPORT_SHARE, _QUERY_SHARE = 0.5, 0.2
_ATTRIBUTES = ("age_band", "tenure_years", "price_sense", "household_size")


@dataclass(frozen=True)
class StudySettings:
    """The settings of a study: its shop, and how the shop becomes tasks.

    regions, users, items, slots, days: see WorldSettings; 67 regions x 3 devices are 201 segments, of
        which 39 are test segments; 20,000 users make 200,000 rounds before the holdout, 800 in the median
        segment.
    unseen: what is new in a test segment. "segment": region x device; its region is known from its other
        devices and stays in the context. "region": whole regions are assigned to splits, and the context has
        no region, because an indicator that was never on in training can't be learned.
    fewest_rounds: a segment with fewer rounds before the holdout is not a task.
    salt: enters the hash that assigns segments to splits.
    """

    world: WorldName
    seed: int
    regions: int = 67
    users: int = 20000
    items: int = 30
    slots: int = 1
    days: int = 28
    unseen: Literal["segment", "region"] = "segment"
    fewest_rounds: int = 30
    salt: str = "metacart study"


@dataclass(frozen=True, eq=False)
class Study:
    """Tasks and their truth; n rounds, A items, G segments.

    arrays: the arrays for learning in rounds_<domain>.npz, see features/tasks/files.py.
    q_true: float32[n, A], expected reward of every item in each round.
    logging_value: float64[n], expected reward of the logging policy in each round.
    oracle_value: float64[n], the same for the best policy that knows segment, attributes and day, but not the
        users' hidden tastes, which are in no log.
    """

    settings: StudySettings
    splits: Splits
    arrays: Mapping[str, AnyArray]
    q_true: NDArray[np.float32]
    logging_value: NDArray[np.float64]
    oracle_value: NDArray[np.float64]

    def tasks(self) -> Tasks:
        """Return the tasks for learners, built by the same function as those of the night."""
        return Tasks.of(self.arrays, "the study")


def make_study(settings: StudySettings) -> Study:
    """Create the world, simulate it, and split its logs into tasks; equal settings give equal studies."""
    world = World.create(
        WorldSettings(
            users=settings.users,
            days=settings.days,
            seed=settings.seed,
            world=settings.world,
            items=settings.items,
            slots=settings.slots,
            regions=settings.regions,
        )
    )
    rounds = _windowed(_logged_rounds(world), world)
    taught = rounds.filter(pl.col("window").is_in([Window.SUPPORT, Window.QUERY]))
    splits = _splits(taught, settings)
    columns = _columns(world, rounds)
    split_of = [SPLIT_CODES[splits.of.get(name)] for name in world.people.segments]
    q_true, logging_value, oracle_value = _truth(world, rounds, columns)
    return Study(
        settings=settings,
        splits=splits,
        arrays={
            **columns,
            **_contexts(rounds, taught, settings),
            **_item_features(world, columns),
            "incumbent_counts": _incumbent_counts(world, columns),
            "segment_split": np.array(split_of, np.int8),
            "n_slots": np.array(settings.slots, np.int64),
            "segment_ids": np.array(world.people.segments, np.str_),
            "action_ids": np.array(world.item_ids, np.str_),
        },
        q_true=q_true,
        logging_value=logging_value,
        oracle_value=oracle_value,
    )


def _logged_rounds(world: World) -> pl.DataFrame:
    """Return all impressions, night by night, each with its day and whether it was clicked."""
    nights = []
    for day in range(world.settings.days):
        night = simulate_shop_night(world, world.open(day))
        clicked = night.events.filter(event_type="click")["impression_id"]
        nights.append(
            night.impressions.with_columns(
                day=pl.lit(day, dtype=pl.Int64),
                is_clicked=pl.col("impression_id").is_in(clicked.implode()),
            )
        )
    return pl.concat(nights)


def _windowed(rounds: pl.DataFrame, world: World) -> pl.DataFrame:
    last = world.settings.nights[-1]
    boundaries = fit_boundaries(rounds["shown_at"], last, _ATTRIBUTION, _SUPPORT_SHARE, _QUERY_SHARE)
    people = world.people.frame(world.settings.first_date, world.settings.days)
    users = expand(people, "attributes", _ATTRIBUTES)
    return rounds.with_columns(window=assign_windows(rounds["shown_at"], boundaries)).join(
        users, on="user_id", how="left", maintain_order="left"
    )


def _columns(world: World, rounds: pl.DataFrame) -> dict[str, AnyArray]:
    user = world.people.ids.positions(rounds["user_id"].to_list())
    return {
        "slot": rounds["slot"].to_numpy() - 1,
        "action": world.catalog.ids.positions(rounds["item_id"].to_list()),
        "reward": rounds["is_clicked"].cast(pl.Float64).to_numpy(),
        "propensity": rounds["propensity"].to_numpy(),
        # what can be shown changes from day to day
        "set_index": rounds["day"].to_numpy(),
        "available": np.stack([world.assortment.available(day) for day in range(world.settings.days)]),
        "segment": world.people.segment[user],
        "cluster": user,
        "window": rounds["window"].to_numpy(),
    }


def _truth(
    world: World, rounds: pl.DataFrame, columns: Mapping[str, AnyArray]
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """Return q_true, logging_value and oracle_value of the study."""
    day, items = columns["set_index"], np.arange(len(world.item_ids))
    rewards = world.logged_rewards(
        "recommendation",
        rounds["user_id"].to_list(),
        world.item_ids,
        shown_ids=rounds["item_id"].to_list(),
        slot=rounds["slot"].to_numpy(),
        day=day,
    )
    user = columns["cluster"]
    appeal = world.click_model.attraction(user[:, None], items, day[:, None], with_taste=False)
    best = np.where(columns["available"][day], appeal, -1.0).argmax(axis=1)
    oracle = np.take_along_axis(rewards.of_action, best[:, None], axis=1)[:, 0]
    return rewards.of_action.astype(np.float32), rewards.of_log, oracle


def _splits(taught: pl.DataFrame, settings: StudySettings) -> Splits:
    counts = taught.group_by(pl.concat_str("region", "device", separator="-").alias("segment")).len()
    enough = counts.filter(pl.col("len") >= settings.fewest_rounds)
    volumes = dict(zip(enough["segment"].to_list(), enough["len"].to_list(), strict=True))
    group = {name: name.rpartition("-")[0] if settings.unseen == "region" else name for name in volumes}
    return deal(volumes, group, f"{settings.salt}\x1f{settings.seed}")


def _contexts(rounds: pl.DataFrame, taught: pl.DataFrame, settings: StudySettings) -> dict[str, AnyArray]:
    traits = ("region", "device") if settings.unseen == "segment" else ("device",)
    encoder = fit_encoder(taught, [*traits, *_ATTRIBUTES], min_rows=settings.fewest_rounds)
    return {"context": encoder.encode(rounds), "context_block": np.array(encoder.blocks, np.int64)}


def _item_features(world: World, columns: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    items = expand(world.catalog.frame(), "attributes", ())
    encoder = fit_encoder(items, item_columns(items), min_rows=2)
    seen = np.unique(columns["action"][_is_before_holdout(columns)])
    return {
        "item_features": item_features(items, encoder, seen),
        "item_block": item_blocks(encoder, items.height),
    }


def _incumbent_counts(world: World, columns: Mapping[str, AnyArray]) -> NDArray[np.float64]:
    counts = np.zeros((len(world.people.segments), world.settings.slots, len(world.item_ids)))
    before = _is_before_holdout(columns)
    np.add.at(counts, tuple(columns[name][before] for name in ("segment", "slot", "action")), 1.0)
    return counts


def _is_before_holdout(columns: Mapping[str, AnyArray]) -> NDArray[np.bool_]:
    return np.isin(columns["window"], (Window.SUPPORT, Window.QUERY))
