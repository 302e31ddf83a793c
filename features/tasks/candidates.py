"""Candidate sets: the actions that could have been shown in a round.

Logged candidate sets are used as they are. Without them, every action that was shown at least once on a day
on a surface counts as available there on that day (ads: on that channel for that campaign). Tomorrow's set is
that of the last day; if the log has only the beginning of that day, earlier days are added.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

PLACE = ("surface", "campaign_id")
_NAMED = "set\x1f"
SET_NAME = pl.concat_str(pl.lit(_NAMED), "candidate_set_id")

THIN_DAY = 0.5
"""Share of a typical day's rounds that the last days must have together to give tomorrow's set."""


@dataclass(frozen=True)
class Candidates:
    """Distinct candidate sets, and the set of each round.

    available: bool[S, A]; set_index: int64[n], the row of `available` of each round;
    latest: (surface, campaign_id) → row of `available` after the last day.
    """

    available: npt.NDArray[np.bool_]
    set_index: npt.NDArray[np.int64]
    latest: dict[tuple[str, str], int]


def find_candidates(rounds: pl.DataFrame, action_ids: list[str], logged_sets: pl.DataFrame) -> Candidates:
    """Collect the candidate sets of the rounds.

    rounds: surface, campaign_id, decided_date, candidate_set_id, action_id.
    logged_sets: candidate_set_id, item_id; may have no rows.
    """
    place = [pl.col(column).fill_null("") for column in PLACE]
    day = pl.concat_str([*place, pl.col("decided_date").cast(pl.String)], separator="\x1f")
    known = set(logged_sets["candidate_set_id"].unique().to_list())
    logged = pl.col("candidate_set_id").is_in(known).fill_null(False)
    faced = rounds.select(
        *place,
        "decided_date",
        "action_id",
        pl.when(logged).then(SET_NAME).otherwise(day).alias("set"),
    )
    names = faced["set"].unique().sort()
    rows = pl.DataFrame({"set": names, "row": np.arange(len(names))})
    columns = pl.DataFrame({"action_id": action_ids, "column": np.arange(len(action_ids))})
    members = pl.concat(
        [
            faced.select("set", "action_id"),
            logged_sets.select(
                SET_NAME.alias("set"),
                pl.col("item_id").alias("action_id"),
            ),
        ]
    ).unique()
    cells = members.join(rows, on="set").join(columns, on="action_id")
    available = np.zeros((len(names), len(action_ids)), dtype=np.bool_)
    available[cells["row"].to_numpy(), cells["column"].to_numpy()] = True
    indexed = faced.join(rows, on="set", how="left", maintain_order="left")
    latest = {}
    for name, of_place in _in_force(indexed).items():
        latest[name] = of_place[0]
        if len(of_place) > 1:
            latest[name] = len(available)
            available = np.vstack([available, available[of_place].any(axis=0)])
    return Candidates(available, indexed["row"].to_numpy().astype(np.int64), latest)


def _in_force(indexed: pl.DataFrame) -> dict[tuple[str, str], list[int]]:
    """Return place → the sets of its last days, the newest first, as many as THIN_DAY needs.

    A log that ends in the first visit of a day has shown only three items on that day, but the shop still has
    the others. Where sets are logged by name, only the newest one counts.
    """
    days = (
        indexed.sort("decided_date", "set")
        .group_by(*PLACE, "decided_date", maintain_order=True)
        .agg(pl.col("row").last(), pl.col("set").last(), pl.len().alias("n"))
        .with_columns(
            typical=pl.col("n").median().over(PLACE), is_named=pl.col("set").str.starts_with(_NAMED)
        )
    )
    chosen: dict[tuple[str, str], list[int]] = {}
    for (surface, campaign), of_place in days.sort("decided_date", descending=True).group_by(
        PLACE, maintain_order=True
    ):
        before = of_place["n"].cum_sum() - of_place["n"]
        enough = before >= THIN_DAY * of_place["typical"]
        needed = 1 if of_place["is_named"][0] else int((~enough).sum())
        rows = of_place.head(needed).filter(~pl.col("is_named") | (pl.int_range(pl.len()) == 0))
        chosen[str(surface), str(campaign)] = rows["row"].to_list()
    return chosen
