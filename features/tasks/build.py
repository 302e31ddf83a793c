"""Build the tasks of one domain: rounds → windows, segments, contexts, candidate sets.

Only rounds with a logged propensity that an evidence policy served are learned from or evaluated on. The
incumbent's rounds show what the shop shows today.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from features.areas import area_of
from features.codes import SPLIT_CODES, Split, Window
from features.context import (
    EMBEDDING,
    HISTORY,
    damped,
    expand,
    fit_encoder,
    free_name,
    item_columns,
)
from features.contracts.policy_versions import OWN_POLICY, is_given_by_metacart, policy_named
from features.segments import HistoryClusters, Segmentation, fit_clusters, fit_segments
from features.tasks.candidates import Candidates, find_candidates
from features.tasks.history import AnyArray, history_arrays
from features.tasks.item_features import item_blocks, item_features
from features.tasks.reading import ReadAgain, Reading, SegmentRule, read_again
from features.tasks.settings import TaskSettings
from features.tasks.splits import split_segments
from features.tasks.tables import ShopTables
from features.tasks.targets import Targets, find_targets, has_users, latest_rounds, with_history_of
from features.tasks.windows import Boundaries, night_end

KNOWN = ("round_id", "decided_at", "user_key", "surface", "campaign_id", "context", *HISTORY)
"""Columns of a round that are known when it is decided."""

GROUPS = frozenset({"cluster", "segment_id"})
"""Columns that name the group of a row: an attribute of such a name gets another name."""


@dataclass(frozen=True)
class DomainTasks:
    """The tasks of one domain: the inputs of learning, evaluating and deciding.

    evidence: the rounds to learn from and to evaluate on (round_id, segment_id, window, ...), in the order of
    the arrays.
    split_by: how rounds were split into windows: by time, user or round, see random_split.py.
    context_blocks, item_blocks: names for the numbers in the arrays context_block and item_block.
    arrays: name → array, as listed in files.py.
    reading: how tonight's policies read decisions. read_again: tonight's decisions as earlier policies do.
    """

    domain: str
    as_of: date
    boundaries: Boundaries
    split_by: str
    segmentation: Segmentation
    segment_ids: tuple[str, ...]
    splits: Mapping[str, Split]
    evidence: pl.DataFrame
    action_ids: tuple[str, ...]
    n_slots: int
    context_names: tuple[str, ...]
    item_feature_names: tuple[str, ...]
    context_blocks: tuple[str, ...]
    item_blocks: tuple[str, ...]
    targets: Targets
    arrays: Mapping[str, AnyArray]
    reading: Reading
    read_again: tuple[ReadAgain, ...] = ()


def build_tasks(
    tables: ShopTables, settings: TaskSettings, as_of: date, standing: Sequence[Reading] = ()
) -> DomainTasks:
    """Build the tasks of one domain for the night of `as_of`.

    tables: as `read_tables` reads them, with the same settings. standing: of the policies of earlier nights
    that stand again tonight. Raises UsageError if a segment trait does not exist.
    """
    rounds, split, described = tables.rounds, tables.split, _described(tables)
    taught = pl.col("is_evidence") & pl.col("window").is_in([Window.SUPPORT, Window.QUERY])
    teaches = rounds.select(taught).to_series()
    groups = _fit_groups(described.filter(teaches), settings)
    described = groups.assign(described)
    rounds = rounds.with_columns(described["segment_id"])
    latest = latest_rounds(described)
    if has_users(described):
        latest = groups.assign(with_history_of(latest, tables.snapshots.drop("decided_at")))
    segment_ids = tuple(pl.concat([rounds["segment_id"], latest["segment_id"]]).unique().sort())
    splits = _splits(rounds.filter(taught), settings)

    actions = _actions(tables)
    action_ids = tables.action_ids
    candidates = find_candidates(rounds, list(action_ids), tables.candidate_sets)
    rounds = rounds.with_columns(
        pl.Series("set_index", candidates.set_index),
        pl.Series("segment", _index(rounds["segment_id"], segment_ids)),
        pl.Series("action", _index(rounds["action_id"], action_ids)),
    )
    columns = _context_columns(described, tables)
    encoder = fit_encoder(described.filter(teaches), columns, settings.fewest_of_a_level)
    item_encoder = fit_encoder(actions, item_columns(actions), min_rows=2)
    n_slots = int(rounds["slot"].to_numpy().max())
    targets = find_targets(latest, encoder)
    evidence = rounds.filter("is_evidence")
    faced = described.filter(rounds["is_evidence"])
    seen = rounds.filter(taught)["action"].unique().to_numpy()
    return DomainTasks(
        domain=tables.domain,
        as_of=as_of,
        boundaries=split.boundaries,
        split_by=split.by,
        segmentation=groups.segmentation,
        segment_ids=segment_ids,
        splits=splits,
        evidence=evidence,
        action_ids=action_ids,
        n_slots=n_slots,
        context_names=tuple(encoder.names),
        item_feature_names=(*item_encoder.names, *(f"item={name}" for name in action_ids)),
        context_blocks=encoder.block_names,
        item_blocks=item_encoder.block_names,
        targets=targets,
        arrays={
            "context": encoder.encode(faced),
            **_evidence_arrays(evidence, settings.reward.expression(area_of(tables.domain).rewards)),
            "origin": evidence["origin"].to_numpy(),
            **_target_arrays(targets, segment_ids, candidates),
            **history_arrays(tables.touched, evidence, targets.user_of_context, night_end(as_of)),
            "context_block": np.array(encoder.blocks, np.int64),
            "item_block": item_blocks(item_encoder, len(action_ids)),
            "available": candidates.available,
            "item_features": item_features(actions, item_encoder, seen),
            "incumbent_counts": _incumbent_counts(
                rounds, settings.incumbent_policy, (len(segment_ids), n_slots, len(action_ids))
            ),
            "segment_split": np.array([SPLIT_CODES[splits.get(name)] for name in segment_ids], np.int8),
            "n_slots": np.array(n_slots, np.int64),
            "segment_ids": np.array(segment_ids, np.str_),
            "action_ids": np.array(action_ids, np.str_),
        },
        reading=Reading(
            encoder,
            item_encoder,
            SegmentRule.of(groups.segmentation, groups.clusters),
            segment_ids,
            action_ids,
        ),
        read_again=tuple(read_again(reading, faced, targets.described, actions) for reading in standing),
    )


@dataclass(frozen=True, eq=False)
class _Groups:
    """The assignment of rows to clusters, if there are clusters, and then to segments."""

    clusters: HistoryClusters | None
    segmentation: Segmentation

    def assign(self, rows: pl.DataFrame) -> pl.DataFrame:
        if self.clusters:
            rows = rows.with_columns(self.clusters.assign(_damped_history(rows)))
        return rows.with_columns(self.segmentation.assign(rows))


def _fit_groups(taught: pl.DataFrame, settings: TaskSettings) -> _Groups:
    clusters = None
    if settings.clusters:
        clusters = fit_clusters(_damped_history(taught), settings.clusters, settings.seed)
        taught = taught.with_columns(clusters.assign(_damped_history(taught)))
    return _Groups(clusters, fit_segments(taught, settings.segments_by, settings.min_rounds))


def _damped_history(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(damped(column) for column in HISTORY)


def _described(tables: ShopTables) -> pl.DataFrame:
    """Return the facts known of each round when it was decided: request, place, user's traits and history.

    The results of a round and the columns that tasks add are left out. So a shop's attribute may have any
    name, also `window` or `is_clicked`.
    """
    users = expand(tables.users, "attributes", tables.user_keys, reserved=GROUPS)
    known = [name for name in KNOWN if name in tables.rounds.columns]
    rounds = expand(tables.rounds.select(known), "context", tables.context_keys, reserved=GROUPS)
    repeated = [column for column in users.columns if column in rounds.columns and column != "user_key"]
    return rounds.join(users.drop(repeated), on="user_key", how="left", maintain_order="left")


def _splits(taught: pl.DataFrame, settings: TaskSettings) -> dict[str, Split]:
    """Assign to splits the segments that have enough rounds to be tasks."""
    counts = taught.group_by("segment_id").len().filter(pl.col("len") >= settings.min_rounds)
    return split_segments(counts["segment_id"].to_list(), settings.salt)


def _actions(tables: ShopTables) -> pl.DataFrame:
    """Return the attributes of each action, in the order of action_ids; null where no catalog lists it."""
    catalog = expand(tables.items, "attributes", tables.item_keys)
    actions = pl.DataFrame({"item_id": tables.action_ids}, schema={"item_id": pl.String})
    return actions.join(catalog, on="item_id", how="left", maintain_order="left")


def _context_columns(rounds: pl.DataFrame, tables: ShopTables) -> list[str]:
    """Return the columns of a context: request, user, history; not signup_at, a moment."""
    user_columns = [
        name for name in tables.users.columns if name not in ("user_key", "signup_at", "attributes")
    ]
    opened = [name for name in rounds.columns if name.startswith(f"{EMBEDDING}_")]
    keys = [free_name(key, GROUPS) for key in (*tables.context_keys, *tables.user_keys)]
    names = [*keys[: len(tables.context_keys)], *user_columns, *keys[len(tables.context_keys) :]]
    names += [*opened, *HISTORY]
    return [name for name in dict.fromkeys(names) if name in rounds.columns]


def _index(values: pl.Series, names: tuple[str, ...]) -> npt.NDArray[np.int64]:
    places = pl.DataFrame({"name": names, "place": np.arange(len(names))})
    found = values.to_frame("name").join(places, on="name", how="left", maintain_order="left")
    return found["place"].to_numpy().astype(np.int64)


def _incumbent_counts(rounds: pl.DataFrame, policy: str, shape: tuple[int, int, int]) -> AnyArray:
    """Count the actions of the incumbent before the holdout, float64[G, L, A], by segment and slot."""
    shown = _of_own_policy(rounds.filter(pl.col("window").is_in([Window.SUPPORT, Window.QUERY])), policy)
    counts = np.zeros(shape)
    np.add.at(counts, tuple(shown.select("segment", pl.col("slot") - 1, "action").to_numpy().T), 1.0)
    return counts


def _of_own_policy(rounds: pl.DataFrame, policy: str) -> pl.DataFrame:
    """Return the rounds that the shop itself served by a policy, by any of its own where none is named.

    A table that metacart published says what the shop's own would show, but explores; counted, today's table
    would become tomorrow's policy. Only where nothing else is left do its rounds count, and then, where no
    policy is named, all rounds.
    """
    version, evidence = pl.col("policy_version"), rounds.filter("is_evidence")
    is_given = is_given_by_metacart(version).fill_null(value=False)
    own = rounds.filter(version == policy) if policy else evidence.filter(~is_given)
    if not own.is_empty():
        return own
    published = rounds.filter(policy_named(version) == (policy or OWN_POLICY))
    return evidence if published.is_empty() and not policy else published


def _evidence_arrays(evidence: pl.DataFrame, reward: pl.Expr) -> dict[str, AnyArray]:
    # Without users each round is its own cluster; in a log with users, so is a round without a user.
    person = pl.coalesce("user_key", pl.concat_str(pl.lit("\x1f"), "round_id"))
    cluster = evidence.select(person.rank("dense").cast(pl.Int64) - 1).to_series()
    return {
        "slot": (evidence["slot"] - 1).to_numpy().astype(np.int64),
        "action": evidence["action"].to_numpy(),
        "reward": evidence.select(reward).to_series().to_numpy(),
        "propensity": evidence["propensity"].to_numpy(),
        "set_index": evidence["set_index"].to_numpy(),
        "segment": evidence["segment"].to_numpy(),
        "cluster": cluster.to_numpy(),
        "window": evidence["window"].to_numpy(),
    }


def _target_arrays(
    targets: Targets, segment_ids: tuple[str, ...], candidates: Candidates
) -> dict[str, AnyArray]:
    places = targets.rows.select("surface", "campaign_id").iter_rows()
    return {
        "target_context": targets.context,
        "target_of_context": targets.target_of_context,
        "target_segment": _index(targets.rows["segment_id"], segment_ids),
        "target_set_index": np.array([candidates.latest[place] for place in places], np.int64),
    }
