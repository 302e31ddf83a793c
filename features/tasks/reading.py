"""Reading: how a policy reads decisions, as `build_tasks` fitted it on the night the policy was learned.

A policy is numbers for columns, segments and items that were chosen on one night. To stand again on another
night it must read that night's decisions in its own way: with its own encoder and its own segments. The
actions are the night's, by the attributes that the policy knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.context import HISTORY as HISTORY_COLUMNS
from features.context import Encoder, Matrix, damped
from features.segments import HistoryClusters, Segmentation


@dataclass(frozen=True)
class SegmentRule:
    """The rule that assigns rows to segments, in a form that a file holds.

    by: traits, the most important first; kept: the labels that stand, by number of traits. center, spread,
    means: of the clusters of history (`HistoryClusters`), None where there are none.
    """

    by: tuple[str, ...]
    kept: tuple[tuple[str, ...], ...]
    center: tuple[float, ...] | None = None
    spread: tuple[float, ...] | None = None
    means: tuple[tuple[float, ...], ...] | None = None

    @classmethod
    def of(cls, segmentation: Segmentation, clusters: HistoryClusters | None) -> "SegmentRule":
        """Return the rule of a night's segments."""
        kept = tuple(tuple(sorted(labels)) for labels in segmentation.kept)
        if clusters is None:
            return cls(segmentation.by, kept)
        return cls(
            segmentation.by,
            kept,
            tuple(clusters.center.tolist()),
            tuple(clusters.spread.tolist()),
            tuple(map(tuple, clusters.means.tolist())),
        )

    def assign(self, rows: pl.DataFrame) -> pl.Series:
        """Return the segment_id of each row; rows: traits and history, as a night describes its rounds."""
        if self.means is not None:
            assert self.center is not None and self.spread is not None
            clusters = HistoryClusters(*map(np.array, (self.center, self.spread, self.means)))
            rows = rows.with_columns(clusters.assign(rows.select(damped(name) for name in HISTORY_COLUMNS)))
        return Segmentation(self.by, tuple(map(frozenset, self.kept)), ()).assign(rows)


@dataclass(frozen=True)
class Reading:
    """How the policies of a night read its decisions.

    context, items: the encoders of a decision and of an action. segments: the rule of the segments.
    segment_ids, action_ids: the names in the order of the policies' numbers.
    """

    context: Encoder
    items: Encoder
    segments: SegmentRule
    segment_ids: tuple[str, ...]
    action_ids: tuple[str, ...]

    @property
    def traits(self) -> frozenset[str]:
        """The columns of a decision that it reads."""
        return frozenset((*(part.column for part in self.context.parts), *self.segments.by)) - {"cluster"}


@dataclass(frozen=True, eq=False)
class ReadAgain:
    """A night's decisions as a policy of an earlier night reads them.

    context: float32[n, d] and segment: int64[n], of the evidence rounds; target_context: float32[m, d] and
    target_segment: int64[m], of tomorrow's contexts. A segment is -1 where the policy has none of its name.
    item_attributes: float32[A, f] of the night's actions. known: int64[A], the place of each action among the
    policy's own, -1 for a new one. missing: the traits that the night's rows no longer have.
    """

    context: Matrix
    segment: NDArray[np.int64]
    target_context: Matrix
    target_segment: NDArray[np.int64]
    item_attributes: Matrix
    known: NDArray[np.int64]
    missing: tuple[str, ...]


def read_again(
    reading: Reading, evidence: pl.DataFrame, tomorrow: pl.DataFrame, actions: pl.DataFrame
) -> ReadAgain:
    """Read decisions as another night's policies do.

    evidence, tomorrow: the described rounds and tomorrow's contexts, in the order of their arrays. actions:
    item_id and attributes, in the order of the night's actions. A trait that they lack is unknown to the
    policy, as is an attribute that a round doesn't have.
    """
    missing = tuple(sorted(reading.traits - set(evidence.columns)))
    rounds, contexts = (_with_columns(rows, missing) for rows in (evidence, tomorrow))
    described = _with_columns(actions, [part.column for part in reading.items.parts])
    return ReadAgain(
        context=reading.context.encode(rounds),
        segment=_places(reading.segments.assign(rounds), reading.segment_ids),
        target_context=reading.context.encode(contexts),
        target_segment=_places(reading.segments.assign(contexts), reading.segment_ids),
        item_attributes=reading.items.encode(described),
        known=_places(actions["item_id"], reading.action_ids),
        missing=missing,
    )


def _with_columns(rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    absent = [column for column in dict.fromkeys(columns) if column not in rows.columns]
    return rows.with_columns(pl.lit(None, pl.String).alias(column) for column in absent)


def _places(names: pl.Series, known: tuple[str, ...]) -> NDArray[np.int64]:
    places = pl.DataFrame(
        {"name": known, "place": np.arange(len(known))}, schema_overrides={"name": pl.String}
    )
    found = names.to_frame("name").join(places, on="name", how="left", maintain_order="left")
    return found["place"].fill_null(-1).to_numpy().astype(np.int64)
